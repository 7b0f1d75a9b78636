"""One key, one answer: what an Idempotency-Key gave is given again, also while it is being made.

Kept in memory for a while, bounded in number and size. After draft-ietf-httpapi-idempotency-key.
"""

import asyncio
import time
from collections import OrderedDict
from hashlib import sha256

from hermes_agent.api.exchange import Exchange, HeaderList
from hermes_agent.api.refusal import Refusal

MAX_ENTRIES = 512
MAX_BYTES = 32 * 1024 * 1024
KEPT_SECONDS = 600.0
MAX_KEY = 255


class Tape:
    """An answer as it is made, for those who ask for it too."""

    def __init__(self, digest: bytes) -> None:
        self.digest = digest
        self.began = time.monotonic()
        self.status = 0
        self.headers: HeaderList = ()
        self.chunks: list[bytes] = []
        self.size = 0
        self.done = False
        self.torn = False
        self._changed = asyncio.Event()

    def begin(self, status: int, headers: HeaderList) -> None:
        """The answer has a status."""
        self.status, self.headers = status, headers
        self._wake()

    def add(self, data: bytes, *, last: bool) -> None:
        """More of its body."""
        self.chunks.append(data)
        self.size += len(data)
        self.done = last
        self._wake()

    def tear(self) -> None:
        """It will never be whole."""
        self.torn = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def play(self, exchange: Exchange) -> None:
        """Give the answer to another exchange."""
        while not self.status and not self.torn:
            await self._changed.wait()
        if not self.status:
            raise Refusal(409, "The first request with this key failed.", code="key_unusable")
        await exchange.begin(self.status, (*self.headers, ("idempotent-replayed", "true")))
        at = 0
        while True:
            fresh, done = b"".join(self.chunks[at:]), self.done
            at = len(self.chunks)
            if fresh or done:
                await exchange.write(fresh, last=done)
            if done or self.torn:
                return
            if at == len(self.chunks):
                await self._changed.wait()


class Tapes:
    """The answers that are kept, by key."""

    def __init__(self) -> None:
        self._tapes: OrderedDict[str, Tape] = OrderedDict()

    def recorded(self, exchange: Exchange, key: str) -> Tape | None:
        """The answer of an earlier request with this key; without one, `exchange` records its own.

        Raises `Refusal` (422) when the earlier request was another.
        """
        if not key or len(key) > MAX_KEY:
            raise Refusal(
                400,
                f"An Idempotency-Key has 1 to {MAX_KEY} characters.",
                param="Idempotency-Key",
                code="invalid_value",
            )
        name = f"{exchange.raw_path} {key}"
        digest = _digest(exchange)
        tape = self._tapes.get(name)
        if tape is None or (tape.done and tape.began < _old()):
            self._tapes.pop(name, None)
            self._make_room()
            exchange.tape = self._tapes[name] = Tape(digest)
            return None
        if tape.digest != digest:
            raise Refusal(
                422,
                "This Idempotency-Key was used with another request.",
                param="Idempotency-Key",
                code="key_reused",
            )
        return tape

    def settle(self, exchange: Exchange) -> None:
        """The exchange is over: an answer that a second attempt could better is not kept."""
        tape, exchange.tape = exchange.tape, None
        if tape is None or (tape.done and tape.status < 500 and tape.status not in (408, 429)):
            return
        if not tape.done:
            tape.tear()
        for name in [name for name, kept in self._tapes.items() if kept is tape]:
            del self._tapes[name]

    def _make_room(self) -> None:
        old = _old()
        size = sum(tape.size for tape in self._tapes.values())
        for name, tape in list(self._tapes.items()):
            if tape.began > old and len(self._tapes) < MAX_ENTRIES and size < MAX_BYTES:
                return
            if tape.done:
                size -= tape.size
                del self._tapes[name]
        if len(self._tapes) >= MAX_ENTRIES:
            raise Refusal(429, "Too many requests with keys.", headers=(("retry-after", "5"),))


def _old() -> float:
    return time.monotonic() - KEPT_SECONDS


def _digest(exchange: Exchange) -> bytes:
    told = "\n".join(
        exchange.headers.get(name, "") for name in ("x-hermes-session-id", "x-hermes-session-key")
    )
    return sha256(told.encode() + b"\n" + exchange.body).digest()
