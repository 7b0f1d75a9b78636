"""The way in: every request passes here, and every fault leaves as an answer."""

import asyncio
import hmac
import logging
from collections import Counter
from urllib.parse import urlsplit

from hermes_agent.api.exchange import Exchange, Gone, Receive, Scope, Send
from hermes_agent.api.idempotency import Tapes
from hermes_agent.api.refusal import Refusal, of_error
from hermes_agent.api.routes import Route, Router
from hermes_agent.api.settings import ApiSettings
from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import HermesError
from hermes_agent.providers.http import is_loopback

log = logging.getLogger(__name__)

_METHODS = ("GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS")
SINGLE = frozenset(
    (
        *(b"authorization", b"content-type", b"content-length", b"host", b"idempotency-key"),
        *(b"last-event-id", b"origin", b"x-hermes-session-id", b"x-hermes-session-key"),
    )
)
_ALLOWED_HEADERS = (
    "authorization, content-type, idempotency-key, last-event-id, "
    "x-hermes-session-id, x-hermes-session-key"
)
_EXPOSED_HEADERS = "retry-after, x-hermes-session-id, x-should-retry, idempotent-replayed"


class Door:
    """The ASGI application. `answered` counts answers by method, route and status."""

    def __init__(
        self,
        settings: ApiSettings,
        key: Secret,
        router: Router,
        answered: Counter[tuple[str, str, int]],
    ) -> None:
        self._answered = answered
        self._settings = settings
        self._key = key.reveal().encode()
        self._router = router
        self._tapes = Tapes()
        self._origins = frozenset(origin.rstrip("/").lower() for origin in settings.cors_origins)
        self._names = frozenset(name.lower() for name in settings.allowed_hosts)
        self._local = is_loopback(settings.host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        route: Route | None = None
        try:
            self._check_headers(exchange)
            self._check_host(exchange)
            if self._preflight(exchange):
                await exchange.answer(b"", status=204)
                return
            route = self._admitted(exchange)
            await self._handle(exchange, route)
        except Gone:
            log.debug("The client of %s went away.", exchange.raw_path)
        except asyncio.CancelledError:
            if exchange.status:
                raise
            await self._refuse(exchange, Refusal(503, "The server is stopping.", code="stopping"))
        except HermesError as error:
            await self._refuse(exchange, of_error(error))
        except Exception:
            log.exception("A request to %s failed.", route.path if route else "no route")
            await self._refuse(exchange, Refusal(500, "Internal error; see the server's log."))
        finally:
            self._tapes.settle(exchange)
            if exchange.status:
                path = route.path if route else ""
                method = exchange.method if exchange.method in _METHODS else "other"
                self._answered[method, path, exchange.status] += 1

    async def _handle(self, exchange: Exchange, route: Route) -> None:
        if route.body is not None or exchange.unread:
            await exchange.read(self._settings.max_body, self._settings.body_time)
        if route.idempotent and (key := exchange.headers.get("idempotency-key")) is not None:
            tape = self._tapes.recorded(exchange, key)
            if tape is not None:
                await tape.play(exchange)
                return
        await route.handler(exchange)

    async def _refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        if exchange.status:
            # Too late for a status; uvicorn closes the connection, so nobody takes it for whole.
            return
        if refusal.status >= 500:
            log.warning("%s %s: %s", exchange.method, exchange.raw_path, refusal.message)
        headers = refusal.headers
        if exchange.unread:
            if refusal.status != 408:
                await exchange.discard(self._settings.max_body)
            headers = (*headers, ("connection", "close"))
        if refusal.status == 401:
            headers = (*headers, ("www-authenticate", "Bearer"))
        await exchange.answer(refusal.body, status=refusal.status, headers=headers)

    def _check_headers(self, exchange: Exchange) -> None:
        if len(exchange.headers) == len(exchange.raw_headers):
            return
        names = [name for name, _ in exchange.raw_headers if name in SINGLE]
        for name in names:
            if names.count(name) > 1:
                raise Refusal(
                    400, f"The header {name.decode()} stands twice.", code="duplicate_header"
                )

    def _check_host(self, exchange: Exchange) -> None:
        """A page that a browser was lured to may have had its name pointed at this machine (DNS
        rebinding); it cannot forge the name it calls by."""
        host = exchange.headers.get("host")
        if not self._local or (host is None and exchange.http_version == "1.0"):
            return
        name = _host_name(host or "")
        if not is_loopback(name) and name not in self._names:
            raise Refusal(
                403,
                "This server answers to the names of this machine only "
                "(API_SERVER_ALLOWED_HOSTS adds others).",
                code="host_not_allowed",
            )

    def _preflight(self, exchange: Exchange) -> bool:
        """Refuses foreign pages, names those that may read the answer; whether that was all."""
        origin = exchange.headers.get("origin")
        if origin is None:
            return False
        known = origin.lower() in self._origins or "*" in self._origins
        if not known and not _same(origin, exchange.headers.get("host", "")):
            raise Refusal(
                403,
                "Pages of this origin may not call; API_SERVER_CORS_ORIGINS lists those that may.",
                code="origin_not_allowed",
            )
        exchange.shared += (
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", _EXPOSED_HEADERS.encode()),
            (b"vary", b"origin"),
        )
        if exchange.method != "OPTIONS" or "access-control-request-method" not in exchange.headers:
            return False
        exchange.shared += (
            (b"access-control-allow-methods", b"GET, POST, PATCH, DELETE"),
            (b"access-control-allow-headers", _ALLOWED_HEADERS.encode()),
            (b"access-control-max-age", b"600"),
        )
        if "access-control-request-private-network" in exchange.headers:
            exchange.shared.append((b"access-control-allow-private-network", b"true"))
        return True

    def _admitted(self, exchange: Exchange) -> Route:
        """The route, for those who may know that it exists."""
        try:
            route = self._router.find(exchange)
        except Refusal:
            self._check_key(exchange)
            raise
        if not (route.public and exchange.from_loopback):
            self._check_key(exchange)
        return route

    def _check_key(self, exchange: Exchange) -> None:
        scheme, _, given = exchange.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            given.strip().encode("latin-1"), self._key
        ):
            raise Refusal(
                401,
                "A key is needed: Authorization: Bearer <API_SERVER_KEY>.",
                code="invalid_api_key",
            )


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0][1:].lower()
    return host.partition(":")[0].lower()


def _same(origin: str, host: str) -> bool:
    return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
