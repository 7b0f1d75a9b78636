"""One model behind one wire: a request goes out, the answer streams in."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from hermes_agent.domain.errors import ModelError
from hermes_agent.domain.model import Delta, Finished, Request
from hermes_agent.domain.spending import Asked
from hermes_agent.providers.errors import from_network, from_response, unexpected
from hermes_agent.providers.target import Target
from hermes_agent.providers.wires.contract import load_wire
from hermes_agent.providers.wires.sse import EventStream

if TYPE_CHECKING:
    import httpx2

MAX_ERROR_BODY = 64 * 1024
MAX_WHOLE_BODY = 32 * 1024 * 1024
LAST_BYTES = 0.1  # seconds that the end of the body may lag behind the end of the answer
LONGEST_FIELD = 64  # bytes within which a stream shows what it is
_SSE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:data|event|id|retry)?:")
GRACE = 2.0  # seconds that usage may lag behind the finish reason
Connect = Callable[[], "httpx2.AsyncClient"]


class WireModel:
    """A `Model` that asks once. Retrying is `ResilientModel`'s.

    `stall` is the longest silence in seconds, before the first byte and between any two.
    """

    def __init__(self, target: Target, connect: Connect, *, stall: float = 300.0) -> None:
        self.target = target
        self._connect = connect
        self._stall = stall
        self._wire = load_wire(target.wire)
        self._told: Asked | None = None

    @property
    def name(self) -> str:
        """What the vendor calls it."""
        return self.target.model

    @property
    def context_length(self) -> int:
        """The window in tokens."""
        return self.target.context_length

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        """The answer as it comes. Raises `ModelError`."""
        import httpx2

        from hermes_agent.providers.http import timeouts

        target, wire = self.target, self._wire
        content = wire.encode(target, request)
        if request.meter is not None:
            request.meter.asked(self._asked())
        headers = {
            "content-type": "application/json",
            "accept": "text/event-stream",
            **wire.headers(target),
        }
        decoder = wire.decoder(target)
        feed = decoder.feed
        started = False
        try:
            async with self._connect().stream(
                "POST",
                wire.url(target),
                content=content,
                headers=headers,
                timeout=timeouts(read=self._stall),
            ) as response:
                if response.status_code != 200:
                    raise await _refusal(target, response)
                kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                packed = "content-encoding" in response.headers
                chunks = response.aiter_bytes() if packed else response.aiter_raw()
                body = _Body(target, kind)
                async for chunk in chunks:
                    started = True
                    for data in body.feed(chunk):
                        for delta in feed(data):
                            yield delta
                    if decoder.settled or decoder.ended:
                        break
                while not decoder.ended:
                    chunk = await _next(chunks, GRACE)
                    for data in body.feed(chunk) if chunk else body.close():
                        for delta in feed(data):
                            yield delta
                    if not chunk:
                        break
                else:
                    await _drain(chunks)
        except httpx2.InvalidURL as error:
            raise from_network(target, error, started=False, waited=0) from error
        except httpx2.HTTPError as error:
            broken = from_network(target, error, started=started, waited=self._stall)
            try:
                # Cut after the finish reason, only the packing was lost, not the answer.
                message = decoder.finish()
            except ModelError:
                raise broken from error
            yield Finished(message)
            return
        yield Finished(decoder.finish())

    def _asked(self) -> Asked:
        if self._told is None:
            from hermes_agent.providers.prices import rates_of

            target = self.target
            self._told = Asked(
                provider=target.vendor.id, model=target.model, rates=rates_of(target)
            )
        return self._told


async def _refusal(target: Target, response: "httpx2.Response") -> ModelError:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ERROR_BODY:
            break
    return from_response(target, response.status_code, response.headers, body)


class _Body:
    """The body of an answer, cut into events.

    A server that does not stream sends one JSON value, which counts as one event. What a body is
    shows in its first bytes: its content type is often wrong.
    """

    def __init__(self, target: Target, kind: str) -> None:
        self._target = target
        self._kind = kind
        self._events: EventStream | None = None
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that this chunk completes."""
        if self._events is not None:
            return self._events.feed(chunk)
        self._parts.append(chunk)
        self._size += len(chunk)
        if self._size > MAX_WHOLE_BODY:
            raise unexpected(self._target, f"more than {MAX_WHOLE_BODY // 2**20} MiB", b"...")
        if self._size - len(chunk) > LONGEST_FIELD:
            return []
        start = b"".join(self._parts)
        if not _SSE.match(start):
            return []
        self._events = EventStream()
        return self._events.feed(start)

    def close(self) -> list[bytes]:
        """What is left at the end. Raises `BadResponse` for a body that is no answer."""
        if self._events is not None:
            return self._events.close()
        body = b"".join(self._parts)
        if body.lstrip()[:1] in (b"{", b"["):
            return [body]
        raise unexpected(self._target, self._kind, body)


async def _next(chunks: AsyncIterator[bytes], patience: float) -> bytes:
    """The next bytes; none at the end, or when `patience` (seconds) is over."""
    try:
        async with asyncio.timeout(patience):
            async for chunk in chunks:
                if chunk:
                    return chunk
    except TimeoutError:
        pass
    return b""


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read the body's end, so that the connection can serve again. A server that keeps it open
    beyond the end of its answer is not waited for."""
    import httpx2

    try:
        async with asyncio.timeout(LAST_BYTES):
            async for _ in chunks:
                pass
    except (TimeoutError, httpx2.HTTPError):
        return
