"""A mailbox, seen from the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hermes_agent.platforms.email.configuration import Configuration
from hermes_agent.platforms.email.mailbox import Mailbox

IDLE_SECONDS = 60.0
"""How long the server is trusted to tell of new mail before we look: what came between the last
look and the wait is told by some servers only with the next change."""

_T = TypeVar("_T")


class Watch:
    """One connection with one thread, so that its calls never overlap."""

    def __init__(self, configuration: Configuration) -> None:
        self.box = Mailbox(configuration)
        self._interval = configuration.poll_interval
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="email")

    async def do(self, call: Callable[[Mailbox], _T]) -> _T:
        """Do this with the mailbox. Cancelled, it breaks the connection and waits until the call
        has noticed."""
        doing = asyncio.get_running_loop().run_in_executor(self._thread, call, self.box)
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            self.box.cut()
            await asyncio.wait([doing], timeout=5)
            if doing.done() and not doing.cancelled():
                doing.exception()
            raise

    async def wait(self) -> None:
        """Until there may be new mail."""
        if await self.do(lambda box: box.can_wait):
            await self.do(lambda box: box.wait(min(IDLE_SECONDS, self._interval * 4)))
        else:
            await asyncio.sleep(self._interval)
            await self.do(lambda box: box.poll())

    async def close(self) -> None:
        """Give the connection and the thread back."""
        self.box.cut()
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self.box.close)
        await asyncio.wait([closing], timeout=5)
        self._thread.shutdown(wait=False)
