"""The server itself: its socket, its key, its life inside the daemon's event loop."""

import asyncio
import logging
import socket
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hermes_agent.api.application import Application
from hermes_agent.api.health import Health
from hermes_agent.api.jobs import JobsBoard
from hermes_agent.api.key import find_key
from hermes_agent.api.metrics import Metric
from hermes_agent.api.settings import ApiSettings
from hermes_agent.domain.errors import ConfigError
from hermes_agent.sessions.host import Host
from hermes_agent.store.port import SessionStore

if TYPE_CHECKING:
    from uvicorn import Config, Server

log = logging.getLogger(__name__)

BACKLOG = 1024
MAX_HEAD = 32 * 1024


class ApiServer:
    """An HTTP server on a host's sessions.

    Raises `ConfigError` when the extra `server` is missing, and where the settings would let
    anybody in. `port` is where it listens, once `ready` was called.
    """

    def __init__(
        self,
        settings: ApiSettings,
        *,
        host: Host,
        store: SessionStore,
        jobs: JobsBoard | None,
        health: Callable[[], Health],
        metrics: Callable[[], Iterable[Metric]],
    ) -> None:
        _require_extra()
        self.settings = settings
        self.port = settings.port
        self._key, self.key_file = find_key(settings)
        self._application = Application(
            settings, self._key, host=host, store=store, jobs=jobs, health=health, metrics=metrics
        )
        self._stop = asyncio.Event()

    async def serve(self, ready: Callable[[], None]) -> None:
        """Listen until cancelled, or until `stop`; `ready` is called once requests are taken.

        At the end no new request is taken, and turns that run get `settings.grace` seconds before
        they are stopped with their history whole. Raises `ConfigError` when the address cannot
        be had.
        """
        listening = _listen(self.settings)
        self.port = listening.getsockname()[1]
        server = _server(self._config(), self._stop, ready)
        serving = asyncio.create_task(server.serve(sockets=[listening]), name="api-server")
        log.info("The API server listens on %s port %d.", self.settings.host, self.port)
        if self.key_file is not None:
            log.info("API clients need the key in %s.", self.key_file)
        ending = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((serving, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stop.set()
            ending.cancel()
            await self._application.close()
            await serving
            await self._application.release()
            listening.close()

    def stop(self) -> None:
        """Begin the end of `serve`."""
        self._stop.set()

    def _config(self) -> "Config":
        import uvicorn

        from hermes_agent.api.protocol import protocol

        settings = self.settings
        return uvicorn.Config(
            self._application.door,
            http=protocol(settings.header_time, settings.write_time, settings.max_connections),
            ws="none",
            loop="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            # Whoever is nearer than a proxy could claim to be on loopback.
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            h11_max_incomplete_event_size=MAX_HEAD,
            timeout_keep_alive=settings.idle_time,
            timeout_graceful_shutdown=max(1, round(2 * settings.grace) + 1),
        )


def _server(config: "Config", stop: asyncio.Event, ready: Callable[[], None]) -> "Server":
    import uvicorn

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

    return InsideServer(config)


def _listen(settings: ApiSettings) -> socket.socket:
    host, port = settings.host.strip("[]"), settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, because asyncio turns Nagle's delay off only where it is.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        return listening
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"The API server cannot listen on {host}:{port}: {error.strerror or error}.",
            hint="Set API_SERVER_HOST and API_SERVER_PORT to an address that is free.",
        ) from error


def _require_extra() -> None:
    try:
        import uvicorn  # noqa: F401  # pyright: ignore[reportUnusedImport]  only whether it is there
    except ImportError as error:
        raise ConfigError(
            "The API server needs the extra 'server', which is not installed.",
            hint="Install it: pip install 'hermes-agent[server]'",
        ) from error
