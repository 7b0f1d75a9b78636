"""The courier when it is stopped: what it had in hand is neither forgotten nor in the way."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from hermes_agent.domain.chats import Post, Target
from hermes_agent.gateway import courier as module
from hermes_agent.gateway.courier import Courier
from hermes_agent.gateway.desk import Desk
from hermes_agent.ledger.opening import open_ledger
from hermes_agent.ledger.port import Dispatch, Ledger
from hermes_agent.store.journal import store_thread
from tests.contract.ledger.making import outgoing
from tests.gateway.scripted import LIMIT, ScriptedPlatform


class SlowPlatform(ScriptedPlatform):
    """A send stays on its way until `goes_on` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.began = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def send(self, target: Target, post: Post, key: str) -> str:
        self.began.set()
        await self.goes_on.wait()
        return await super().send(target, post, key)


class SlowLedger:
    """The real ledger; `next` gives its answer only when `goes_on` is set."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.began = threading.Event()
        self.goes_on = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def next(self, platforms: Sequence[str], now: float) -> Dispatch | None:
        dispatch = self._ledger.next(platforms, now)
        if dispatch is not None:
            self.began.set()
            self.goes_on.wait(LIMIT)
        return dispatch


@asynccontextmanager
async def ledger_of(home: Path) -> AsyncGenerator[Ledger]:
    ledger = open_ledger(home)
    ledger.post([outgoing("a", text="first"), outgoing("b", text="second")])
    try:
        yield ledger
    finally:
        ledger.close()


async def stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await ended(task)


async def ended(task: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(LIMIT):
        await asyncio.wait([task])
    assert task.cancelled()


async def test_the_end_of_a_drain_sends_what_waits_behind_a_message_on_its_way(home: Path) -> None:
    async with ledger_of(home) as ledger:
        platform = SlowPlatform()
        courier = Courier(Desk(ledger, store_thread()), lambda: {platform.name: platform})
        running = asyncio.create_task(courier.run(platform))
        await platform.began.wait()
        flushing = asyncio.create_task(courier.flush(LIMIT))
        await asyncio.sleep(0)
        platform.goes_on.set()
        await flushing
        assert platform.texts() == ["first", "second"]
        assert ledger.counts().outbox == {"sent": 2}
        await stop(running)


async def test_a_message_that_is_taken_while_the_connection_ends_waits_again(home: Path) -> None:
    async with ledger_of(home) as ledger:
        slow = SlowLedger(ledger)
        platform = ScriptedPlatform()
        desk = Desk(cast("Ledger", slow), store_thread())
        courier = Courier(desk, lambda: {platform.name: platform})
        running = asyncio.create_task(courier.run(platform))
        await asyncio.to_thread(slow.began.wait, LIMIT)
        running.cancel()
        await asyncio.sleep(0)
        slow.goes_on.set()
        await ended(running)
        assert platform.texts() == []
        assert ledger.counts().outbox == {"waiting": 2}
        assert ledger.counts().doubtful == 0


async def test_a_send_that_never_ends_is_in_doubt_and_tried_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE", 0.01)
    async with ledger_of(home) as ledger:
        platform = SlowPlatform()
        courier = Courier(Desk(ledger, store_thread()), lambda: {platform.name: platform})
        running = asyncio.create_task(courier.run(platform))
        await platform.began.wait()
        await stop(running)
        assert ledger.counts().outbox == {"waiting": 2}
        assert ledger.counts().doubtful == 1
        platform.goes_on.set()
        await courier.flush(LIMIT)
        assert platform.texts() == ["first", "second"]
        assert ledger.counts().outbox == {"sent": 2}
