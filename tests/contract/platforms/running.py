"""An adapter that runs for the length of an `async with`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from hermes_agent.platforms.base import Door, Platform, PlatformDown, PlatformSettings
from hermes_agent.platforms.table import create
from tests.contract.platforms.door import PATIENCE, until


@asynccontextmanager
async def connected(settings: PlatformSettings, door: Door) -> AsyncGenerator[Platform]:
    """The adapter, once messages flow. What `run` raises meanwhile is raised at the end."""
    platform = create(settings)
    ready = asyncio.Event()
    running = asyncio.create_task(platform.run(door, ready.set), name="the adapter under test")
    waiting = asyncio.create_task(ready.wait())
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
            raise AssertionError("run ended before it was ready")
        yield platform
    finally:
        waiting.cancel()
        running.cancel()
        await asyncio.wait((running, waiting), timeout=PATIENCE)
        await platform.close()
    assert running.done(), "a cancelled run did not end"
    error = None if running.cancelled() else running.exception()
    # A lost connection may end a run; it is begun again by whoever runs it.
    if error is not None and not isinstance(error, PlatformDown):
        raise error


async def ending(settings: PlatformSettings, door: Door) -> BaseException:
    """What `run` ends with by itself."""
    platform = create(settings)
    running = asyncio.create_task(platform.run(door, lambda: None))
    try:
        await asyncio.wait((running,), timeout=PATIENCE)
        assert running.done(), "run did not end"
        error = running.exception()
        assert error is not None, "run ended without an error"
        return error
    finally:
        running.cancel()
        await asyncio.wait((running,), timeout=PATIENCE)
        await platform.close()


def descriptors() -> int:
    """How many files and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@asynccontextmanager
async def nothing_left() -> AsyncGenerator[None]:
    """Fails when tasks or descriptors are left that were not there before."""
    tasks, files = asyncio.all_tasks(), descriptors()
    yield
    await until(lambda: asyncio.all_tasks() <= tasks, "all tasks end")
    await until(lambda: descriptors() <= files, "all descriptors are closed")
