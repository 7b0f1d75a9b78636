"""Turns on behalf of HTTP clients: how many at once, and how each can be stopped."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

from hermes_agent.agent.control import Control
from hermes_agent.api.refusal import Refusal
from hermes_agent.domain.events import TurnEnded
from hermes_agent.domain.messages import Image
from hermes_agent.domain.ports import Emit
from hermes_agent.sessions.host import Host, Opening
from hermes_agent.sessions.live import LiveSession

RETRY_AFTER = "2"


class Stopped(Exception):
    """The turn was stopped before its session was in hand; nothing is stored of it."""


class Turn:
    """One turn from its admission to its end. `run` once; `stop` at any time."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._control = Control()
        self._opening: asyncio.Task[object] | None = None
        self._stopped = False

    async def run(
        self,
        opening: Opening,
        text: str,
        emit: Emit,
        images: tuple[Image, ...] = (),
        opened: Callable[[LiveSession], Awaitable[None]] | None = None,
    ) -> TurnEnded:
        """Open the session and answer; `opened` is called between the two.

        Raises `Stopped`, and what `Host.open` raises.
        """
        if self._stopped:
            raise Stopped
        self._opening = asyncio.current_task()
        try:
            async with self._host.open(opening) as live:
                self._opening = None
                if opened is not None:
                    await opened(live)
                return await live.run(text, self._control, emit, images)
        except asyncio.CancelledError:
            task, self._opening = self._opening, None
            if task is None or not self._stopped:
                raise
            task.uncancel()
            raise Stopped from None

    def stop(self) -> None:
        """End it; the history stays whole."""
        if self._stopped:
            return
        self._stopped = True
        self._control.stop()
        if self._opening is not None:
            self._opening.cancel()


class Turns:
    """All turns that run."""

    def __init__(self, host: Host, limit: int) -> None:
        self._host = host
        self._limit = limit
        self._running: set[Turn] = set()
        self._free = asyncio.Event()
        self.closed = False

    @property
    def running(self) -> int:
        """How many there are."""
        return len(self._running)

    @contextmanager
    def slot(self) -> Generator[Turn]:
        """Room for one turn. Raises `Refusal` when there is none."""
        if self.closed:
            raise Refusal(503, "The server is stopping.", code="stopping")
        if len(self._running) >= self._limit:
            raise Refusal(
                429,
                f"{self._limit} turns are running already.",
                code="too_many_turns",
                headers=(("retry-after", RETRY_AFTER),),
            )
        turn = Turn(self._host)
        self._running.add(turn)
        try:
            yield turn
        finally:
            self._running.discard(turn)
            if not self._running:
                self._free.set()

    async def close(self, grace: float) -> None:
        """Admit no more, give those that run `grace` seconds, then stop them, and wait for their
        ends to be stored."""
        self.closed = True
        if not await self._emptied(grace):
            for turn in list(self._running):
                turn.stop()
            await self._emptied(grace)

    async def _emptied(self, seconds: float) -> bool:
        self._free.clear()
        if not self._running:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._free.wait()
        except TimeoutError:
            return False
        return True
