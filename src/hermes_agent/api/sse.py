"""Server-sent events that are made while a turn runs and sent while it waits.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio

import msgspec

from hermes_agent.api.exchange import Exchange

KEEP_ALIVE = b": keep-alive\n\n"
_encode = msgspec.json.Encoder().encode


def event(value: object, *, name: str = "", number: int | None = None) -> bytes:
    """One event with JSON as its data."""
    head = f"id: {number}\n" if number is not None else ""
    if name:
        head += f"event: {name}\n"
    return head.encode() + b"data: " + _encode(value) + b"\n\n"


class Stream:
    """Bytes on their way to a client: `put` never waits, a task of its own sends."""

    def __init__(self, exchange: Exchange, heartbeat: float) -> None:
        self._exchange = exchange
        self._heartbeat = heartbeat
        self._waiting: list[bytes] = []
        self._fresh = asyncio.Event()
        self._ended = False
        self._beat: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None

    @property
    def started(self) -> bool:
        """Whether anything is being sent."""
        return self._sending is not None

    def start(self) -> None:
        """Send from now on."""
        self._beat = asyncio.get_running_loop().call_later(self._heartbeat, self._live)
        self._sending = asyncio.create_task(self._send())

    def put(self, data: bytes, *, later: bool = False) -> None:
        """More to send; `later` is with what comes next."""
        self._waiting.append(data)
        if not later:
            self._fresh.set()

    async def end(self) -> None:
        """Nothing follows; returns once all is sent. Nothing happens where nothing was begun."""
        self._ended = True
        self._fresh.set()
        if self._sending is not None:
            await self._sending
        if self._beat is not None:
            self._beat.cancel()

    def _live(self) -> None:
        self.put(KEEP_ALIVE)
        self._beat = asyncio.get_running_loop().call_later(self._heartbeat, self._live)

    async def _send(self) -> None:
        last = False
        while not last:
            await self._fresh.wait()
            self._fresh.clear()
            data, last = b"".join(self._waiting), self._ended
            self._waiting.clear()
            await self._exchange.write(data, last=last)
