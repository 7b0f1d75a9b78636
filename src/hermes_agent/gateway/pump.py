"""From the inbox to the roads: claim, travel, settle."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from hermes_agent.domain.chats import Outgoing
from hermes_agent.domain.errors import HermesError, StoreError
from hermes_agent.gateway.desk import Desk
from hermes_agent.gateway.road import Road
from hermes_agent.ledger.port import Claim, LeaseLost

LEASE = 60.0
HEARTBEAT = 15.0
LOOK = 1.0
ATTEMPTS = 5
MAX_DELAY = 300.0

_log = logging.getLogger(__name__)


class Pump:
    """Keeps up to `parallel` messages on their roads, one for each session.

    `roads` by platform; `other` takes the rest. `buried` is told of a message that was given up.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        worker: str,
        roads: Mapping[str, Road],
        other: Road,
        parallel: int,
        settled: Callable[[], None],
        buried: Callable[[Claim, str], Awaitable[None]],
    ) -> None:
        self.worker = worker
        self.answered = 0
        self.failed = 0
        self._desk = desk
        self._roads = roads
        self._other = other
        self._parallel = parallel
        self._settled = settled
        self._buried = buried
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._version = -1

    @property
    def working(self) -> int:
        """How many messages are on their roads."""
        return len(self._tasks)

    def wake(self) -> None:
        """There is something to claim."""
        self._wake.set()

    async def run(self) -> None:
        """Claim until cancelled. What is on its road goes on; see `drain`."""
        beating = asyncio.create_task(self._heartbeat(), name="pump heartbeat")
        try:
            while True:
                await self._take()
                await self._rest()
        finally:
            beating.cancel()

    async def drain(self, seconds: float) -> int:
        """Wait for what is on its road, then stop the rest; returns how many those were.

        A stopped one was not settled: it is claimed again after the next start.
        """
        beating = asyncio.create_task(self._heartbeat(), name="pump heartbeat")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=5)
        beating.cancel()
        return len(left)

    def cut(self) -> None:
        """Stop what is on its road, now: somebody does not want to wait for the drain."""
        for task in self._tasks:
            task.cancel()

    async def _take(self) -> None:
        try:
            while len(self._tasks) < self._parallel:
                claim = await self._desk.do(lambda ledger: ledger.claim(self.worker, LEASE))
                if claim is None:
                    return
                task = asyncio.create_task(self._work(claim), name=f"turn {claim.turn}")
                self._tasks.add(task)
                task.add_done_callback(self._done)
        except StoreError as error:
            _log.warning("nothing can be claimed: %s", error)
            await asyncio.sleep(LOOK)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._wake.set()

    async def _rest(self) -> None:
        """Until something happens here, or another process has written, or a time has come."""
        while not self._wake.is_set():
            try:
                await asyncio.wait_for(self._wake.wait(), LOOK)
            except TimeoutError:
                if await self._news():
                    break
        self._wake.clear()

    async def _news(self) -> bool:
        try:
            version, due = await self._desk.do(lambda ledger: (ledger.version(), ledger.due()))
        except StoreError as error:
            _log.warning("the inbox cannot be looked at: %s", error)
            return False
        changed = version != self._version
        self._version = version
        return changed or (due is not None and due <= time.time())

    async def _work(self, claim: Claim) -> None:
        platform = claim.inbound.origin.platform
        _log.debug("message %s from %s is taken up as turn %s", claim.id, platform, claim.turn)
        road = self._roads.get(platform, self._other)
        try:
            outgoing = await road.travel(claim)
            await self._settle(claim, outgoing)
        except LeaseLost:
            _log.error("message %s was taken over by another worker; not answered here", claim.id)
        except HermesError as error:
            await self._give_back(claim, error.message, error.hint or "")
        except Exception as error:  # noqa: BLE001  the root of a turn: logged, tried again
            _log.exception("message %s failed", claim.id)
            await self._give_back(claim, f"{type(error).__name__}: {error}", "")

    async def _settle(self, claim: Claim, outgoing: Sequence[Outgoing]) -> None:
        await self._desk.insist(lambda ledger: ledger.settle(claim, self.worker, outgoing))
        _log.debug("message %s is settled with %d message(s)", claim.id, len(outgoing))
        self.answered += 1
        self._settled()

    async def _give_back(self, claim: Claim, error: str, hint: str) -> None:
        self.failed += 1
        delay = min(MAX_DELAY, 2.0**claim.attempt)
        _log.warning("message %s: %s", claim.id, error)
        try:
            dead = await self._desk.insist(
                lambda ledger: ledger.release(
                    claim, self.worker, error=error, delay=delay, attempts=ATTEMPTS
                )
            )
        except LeaseLost:
            return
        if dead:
            await self._buried(claim, f"{error} {hint}".strip())

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            try:
                await self._desk.do(lambda ledger: ledger.renew(self.worker, LEASE))
            except StoreError as error:
                _log.warning("the leases were not renewed: %s", error)
