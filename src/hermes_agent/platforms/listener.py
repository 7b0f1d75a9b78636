"""A small HTTP server inside the daemon's loop, for platforms that call us.

Needs the extra `server`. Bodies come whole and bounded; uvicorn's part is loaded when it listens.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Generator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from hermes_agent.domain.errors import ConfigError

if TYPE_CHECKING:
    from uvicorn import Server

MAX_BODY = 1_048_576
DISCARDED = 8 * 1_048_576
MAX_HEAD = 32 * 1024
BODY_TIME = 30.0
GRACE = 5
MAX_CONNECTIONS = 256

_log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose body is not read yet. Header names are in lower case; one that stands
    several times counts for nothing, because two readers could choose differently."""

    method: str
    path: str
    headers: Mapping[str, str]
    peer: str
    receive: Receive

    async def body(self, limit: int = MAX_BODY, seconds: float = BODY_TIME) -> bytes:
        """The whole body. Raises `Answer` for one that is too large or too slow."""
        gathered = bytearray()
        length = 0
        try:
            async with asyncio.timeout(seconds):
                while True:
                    message = await self.receive()
                    if message["type"] == "http.disconnect":
                        raise Answer(400, "The body broke off.")
                    piece = message.get("body", b"")
                    length += len(piece)
                    # Somebody who still writes would not read the answer: a little more is
                    # taken in, and forgotten.
                    if length > limit + DISCARDED:
                        raise Answer(413, "The body is too large.")
                    if length <= limit:
                        gathered += piece
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            raise Answer(408, "The body did not come in time.") from None
        if length > limit:
            raise Answer(413, "The body is too large.")
        return bytes(gathered)


class Answer(Exception):
    """What the caller gets; can be raised from anywhere below the handler."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


Handler = Callable[[Request], Awaitable[Answer]]


class Listener:
    """Listens on one address. `port` 0 takes a free one, which `port` is afterwards."""

    def __init__(self, name: str, host: str, port: int, handler: Handler) -> None:
        self.port = port
        self._name = name
        self._host = host.strip("[]")
        self._handler = handler

    async def serve(self, ready: Callable[[], None]) -> None:
        """Answer until cancelled; requests in hand get some seconds to end. Raises `ConfigError`
        when the address cannot be had."""
        listening = self._bind()
        self.port = listening.getsockname()[1]
        stop = asyncio.Event()
        server = _server(self._application, stop, ready)
        serving = asyncio.create_task(server.serve(sockets=[listening]), name=f"{self._name} http")
        _log.info("%s listens on http://%s:%d", self._name, self._host, self.port)
        try:
            await asyncio.shield(serving)
        finally:
            stop.set()
            await serving
            listening.close()

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            return socket.create_server((self._host, self.port), family=family, backlog=128)
        except OSError as error:
            raise ConfigError(
                f"{self._name} cannot listen on {self._host}:{self.port}: "
                f"{error.strerror or error}.",
                hint=f"Set platforms.{self._name}.extra.host and .port to an address that is free.",
            ) from error

    async def _application(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = list(scope["headers"])
        names = [name for name, _ in headers]
        request = Request(
            method=scope["method"],
            path=scope["path"],
            headers={
                name.decode("latin-1"): value.decode("latin-1")
                for name, value in headers
                if names.count(name) == 1
            },
            peer=scope["client"][0] if scope.get("client") else "",
            receive=receive,
        )
        try:
            answer = await self._handler(request)
        except Answer as refused:
            answer = refused
        except Exception:  # noqa: BLE001  the root of a request: logged, answered
            _log.exception("%s: a request failed", self._name)
            answer = Answer(500, "Internal error.")
        await _send(send, answer)


async def _send(send: Send, answer: Answer) -> None:
    said = "error" if answer.status >= 400 else "status"
    body = msgspec.json.encode({said: answer.message})
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    if answer.status >= 400:
        headers["connection"] = "close"
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (name.encode(), value.encode())
                for name, value in (headers | answer.headers).items()
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


def require_server(platform: str) -> None:
    """Raises `ConfigError` when the extra `server` is missing."""
    try:
        import uvicorn  # noqa: F401  # pyright: ignore[reportUnusedImport]  only whether it is there
    except ImportError as error:
        raise ConfigError(
            f"{platform} needs the extra 'server', which is not installed.",
            hint="Install it: pip install 'hermes-agent[server]'",
        ) from error


def _server(application: Any, stop: asyncio.Event, ready: Callable[[], None]) -> "Server":
    import uvicorn

    from hermes_agent.platforms.listener_protocol import Patient

    class InsideServer(uvicorn.Server):
        """uvicorn inside somebody else's process: it leaves the signals alone, and sleeps until
        it is told to end but for one tick a second, which keeps the Date header true."""

        @contextmanager
        def capture_signals(self) -> Generator[None]:
            yield

        async def main_loop(self) -> None:
            await self.on_tick(0)
            ready()
            while not stop.is_set():
                try:
                    async with asyncio.timeout(1):
                        await stop.wait()
                except TimeoutError:
                    await self.on_tick(0)

    return InsideServer(
        uvicorn.Config(
            application,
            http=Patient,
            ws="none",
            loop="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=MAX_HEAD,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=GRACE,
        )
    )
