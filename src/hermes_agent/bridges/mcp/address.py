"""A server at an address: streamable HTTP, and HTTP with server-sent events of 2024-11-05.

Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx2

from hermes_agent.bridges.mcp.link import Signals
from hermes_agent.bridges.mcp.stdio import MOST_BYTES
from hermes_agent.config.schema.execution import McpServer

if TYPE_CHECKING:
    from mcp.client._transport import ReadStream, TransportStreams
    from mcp.shared.message import SessionMessage

_SILENCE = 900.0
"""An open stream may say nothing for so many seconds; servers send signs of life more often."""
_OLD = (400, 404, 405)


class Door:
    """What the server's HTTP answers say. `signed` is whether requests carry a login."""

    def __init__(self, signals: Signals, *, signed: bool) -> None:
        self._signals = signals
        self._signed = signed
        self._let_in = False
        self._refused = False

    @property
    def turned_away(self) -> bool:
        """It does not speak streamable HTTP."""
        return self._refused and not self._let_in

    async def heard(self, response: httpx2.Response) -> None:
        """To be told of every answer. Nothing but streams of events may be without end."""
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            stream = response.stream
            if isinstance(stream, httpx2.AsyncByteStream):
                response.stream = _Bounded(stream)
        if response.request.method == "POST":
            self._let_in |= response.status_code < 400
            self._refused |= response.status_code in _OLD
        if response.status_code in (401, 403) and not self._signed:
            self._signals.refuse(
                f"it does not let us in (HTTP {response.status_code}): "
                "it needs headers, or auth: oauth"
            )


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._inner:
            size += len(piece)
            if size > MOST_BYTES:
                raise httpx2.ReadError(f"The answer is longer than {MOST_BYTES} bytes.")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def streamable(
    server: McpServer, auth: httpx2.Auth | None, door: Door, signals: Signals
) -> AsyncGenerator["TransportStreams"]:
    """The streams of a server that speaks streamable HTTP."""
    from mcp.client.streamable_http import streamable_http_client

    # A tool may take its time between two pieces of an answer; the call's own limit ends it.
    limits = httpx2.Timeout(server.connect_timeout, read=max(server.timeout, _SILENCE))
    async with (
        _client(server, door, auth=auth, timeout=limits) as client,
        streamable_http_client(server.url, http_client=client) as (read, write),
    ):
        yield _Watched(read, signals), write


@asynccontextmanager
async def sse(
    server: McpServer, auth: httpx2.Auth | None, door: Door, signals: Signals
) -> AsyncGenerator["TransportStreams"]:
    """The streams of a server that speaks the transport of 2024."""
    from mcp.client.sse import sse_client

    def made(
        headers: dict[str, str] | None = None,  # noqa: ARG001  `_client` sets them itself
        timeout: httpx2.Timeout | None = None,
        auth: httpx2.Auth | None = None,
    ) -> httpx2.AsyncClient:
        return _client(server, door, auth=auth, timeout=timeout)

    async with sse_client(
        server.url,
        timeout=server.connect_timeout,
        sse_read_timeout=_SILENCE,
        httpx_client_factory=made,
        auth=auth,
    ) as (read, write):
        yield _Watched(read, signals), write


def _client(
    server: McpServer, door: Door, *, auth: httpx2.Auth | None, timeout: httpx2.Timeout | None
) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        # Packed answers could be much longer than they look.
        headers={"accept-encoding": "identity", **server.headers},
        auth=auth,
        timeout=timeout,
        event_hooks={"response": [door.heard]},
    )


class _Watched:
    """A stream that tells when it is over."""

    def __init__(self, inner: "ReadStream[SessionMessage | Exception]", signals: Signals) -> None:
        self._inner = inner
        self._signals = signals

    @property
    def last_context(self) -> Any:
        """Of the stream inside."""
        return getattr(self._inner, "last_context", None)

    async def receive(self) -> "SessionMessage | Exception":
        import anyio

        try:
            return await self._inner.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            self._over()
            raise

    def __aiter__(self) -> "_Watched":
        return self

    async def __anext__(self) -> "SessionMessage | Exception":
        try:
            return await self._inner.__anext__()
        except StopAsyncIteration:
            self._over()
            raise

    def _over(self) -> None:
        self._signals.end("the connection was closed")

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> "_Watched":
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None:
        return await self._inner.__aexit__(exc_type, exc_val, exc_tb)
