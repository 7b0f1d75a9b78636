"""A platform's way in that ends in a real ledger, for tests of adapters."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from hermes_agent.domain.chats import Inbound, Origin
from hermes_agent.domain.errors import StoreError
from hermes_agent.ledger.opening import open_ledger
from hermes_agent.ledger.port import Ledger
from hermes_agent.platforms.base import Platform
from hermes_agent.sessions.keys import session_key

DEADLINE = 10.0


class LedgerDoor:
    """Stores what comes, first come first. `broken` makes that many `accept`s fail; `strangers`
    are turned away; what people in `slow` say is stored when their event is set; `asked` is who
    asked to come in."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.broken = 0
        self.strangers: set[str] = set()
        self.slow: dict[str, asyncio.Event] = {}
        self.asked: list[tuple[Origin, bool, str]] = []
        self._changed = asyncio.Condition()

    @property
    def taken(self) -> list[Inbound]:
        """What was stored, oldest first."""
        return [row.inbound for row in reversed(self.ledger.inbox(limit=1000))]

    async def admits(self, origin: Origin, *, addressed: bool, private_name: str = "") -> bool:
        self.asked.append((origin, addressed, private_name))
        await self._tell()
        return addressed and origin.user_id not in self.strangers

    async def accept(self, inbound: Inbound) -> None:
        if (gate := self.slow.get(inbound.origin.user_id)) is not None:
            await gate.wait()
        if self.broken:
            self.broken -= 1
            await self._tell()
            raise StoreError("The disk is full.")
        self.ledger.accept(inbound, session_key(inbound.origin, per_user=True))
        await self._tell()

    async def remember(self, key: str, value: str) -> None:
        self.ledger.remember(key, value)
        await self._tell()

    async def recall(self, key: str) -> str | None:
        return self.ledger.recall(key)

    async def wait(self, count: int) -> list[Inbound]:
        """The messages, once there are so many."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(lambda: len(self.taken) >= count)
        return self.taken

    async def wait_asked(self, count: int) -> None:
        """Until so many have asked to come in."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(lambda: len(self.asked) >= count)

    async def wait_recalled(self, key: str, value: str) -> None:
        """Until this fact is kept."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(lambda: self.ledger.recall(key) == value)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def ledger_door(home: Path) -> AsyncGenerator[LedgerDoor]:
    """A door into the ledger of this home."""
    await asyncio.to_thread(home.mkdir, parents=True, exist_ok=True)
    ledger = open_ledger(home)
    try:
        yield LedgerDoor(ledger)
    finally:
        ledger.close()


@asynccontextmanager
async def running(platform: Platform, door: LedgerDoor) -> AsyncGenerator[asyncio.Task[None]]:
    """The adapter at work; what it raises before it is ready comes out here."""
    ready = asyncio.Event()
    work = asyncio.create_task(platform.run(door, ready.set))
    waiting = asyncio.create_task(ready.wait())
    try:
        async with asyncio.timeout(DEADLINE):
            await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
        if not ready.is_set():
            await work
            raise AssertionError("the adapter ended before it was ready")
        yield work
    finally:
        waiting.cancel()
        work.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait([work], timeout=DEADLINE)
        await platform.close()
