"""The process's one HTTP client: no TLS set-up before the first https address, own proxy rules."""

import ipaddress
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import httpx2

if TYPE_CHECKING:
    import ssl

KEPT = 64
KEPT_SECONDS = 120.0
LIMITS = httpx2.Limits(max_connections=None, keepalive_expiry=KEPT_SECONDS)
CONNECT = 15.0
WRITE = 60.0


def open_client(environ: Mapping[str, str] = os.environ) -> httpx2.AsyncClient:
    """The client for everything that this process asks of model servers. Close it at the end.

    It follows no redirects: a redirect would carry the key to wherever it points.
    """
    return httpx2.AsyncClient(
        transport=Doors(environ),
        trust_env=False,
        follow_redirects=False,
        timeout=timeouts(read=300),
        headers={"accept-encoding": "identity"},
    )


def timeouts(*, read: float) -> httpx2.Timeout:
    """Seconds: `read` is the longest silence that is borne."""
    return httpx2.Timeout(connect=CONNECT, read=read, write=WRITE, pool=CONNECT)


def is_loopback(host: str) -> bool:
    """Whether this host is this machine, by name or number."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def proxy_for(url: httpx2.URL, environ: Mapping[str, str]) -> str | None:
    """The proxy that the environment names for this address; never one for loopback."""
    host = url.host.lower()
    if is_loopback(host):
        return None
    named = next(
        (
            environ[name]
            for base in (f"{url.scheme}_proxy", "all_proxy")
            for name in (base, base.upper())
            # As curl does: HTTP_PROXY in capitals may come from a CGI request's header.
            if environ.get(name) and not (name == "HTTP_PROXY" and "REQUEST_METHOD" in environ)
        ),
        None,
    )
    if not named:
        return None
    for entry in (environ.get("no_proxy") or environ.get("NO_PROXY") or "").lower().split(","):
        rule = entry.strip()
        if rule == "*" or (rule and _matches(host, url.port, rule)):
            return None
    return named if "://" in named else f"http://{named}"


def _matches(host: str, port: int | None, rule: str) -> bool:
    if "/" in rule:
        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(rule, strict=False)
        except ValueError:
            return False
    name, _, number = rule.rpartition(":") if rule.count(":") == 1 else (rule, "", "")
    if number and number != str(port or ""):
        return False
    name = name.removeprefix("*").removeprefix(".")
    return host == name or host.endswith(f".{name}")


class Doors(httpx2.AsyncBaseTransport):
    """Opens the door that a request needs: plain, TLS, or through a proxy.

    Each connection is a transport of its own, lent to one request at a time. One pool for all
    would look at every idle connection, with several calls to the kernel each, at the beginning
    and at the end of every request.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._idle: dict[_Target, deque[_Idle]] = {}
        self._all: set[httpx2.AsyncHTTPTransport] = set()
        self._contexts: dict[str, ssl.SSLContext] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it through its door."""
        url = request.url
        target = (url.scheme, url.host, url.port, proxy_for(url, self._environ))
        idle = self._idle.get(target)
        # The one that was used last is the one that most likely still stands.
        door = idle.pop().door if idle else self._made(target)
        try:
            response = await door.handle_async_request(request)
        except BaseException:
            await self._take_back(target, door)
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Lent(response.stream, lambda: self._take_back(target, door))
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        self._idle.clear()
        while self._all:
            await self._all.pop().aclose()

    def _made(self, target: "_Target") -> httpx2.AsyncHTTPTransport:
        scheme, _, _, proxy = target
        door = httpx2.AsyncHTTPTransport(verify=self._context(scheme), proxy=proxy, limits=LIMITS)
        self._all.add(door)
        return door

    async def _take_back(self, target: "_Target", door: httpx2.AsyncHTTPTransport) -> None:
        if door not in self._all:
            return
        now = time.monotonic()
        idle = self._idle.setdefault(target, deque())
        idle.append(_Idle(door, now))
        while len(idle) > KEPT or now - idle[0].since > KEPT_SECONDS:
            oldest = idle.popleft().door
            self._all.discard(oldest)
            await oldest.aclose()

    def _context(self, scheme: str) -> "ssl.SSLContext":
        import ssl

        if scheme not in self._contexts:
            # Never used on a plain connection; an empty one spares reading 150 certificates.
            self._contexts[scheme] = (
                httpx2.create_ssl_context(trust_env=True)
                if scheme == "https"
                else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            )
        return self._contexts[scheme]


_Target = tuple[str, str, int | None, str | None]
"""Scheme, host, port and proxy."""


class _Idle(NamedTuple):
    door: httpx2.AsyncHTTPTransport
    since: float


class _Lent(httpx2.AsyncByteStream):
    """The body of an answer; its connection goes back when it is closed."""

    def __init__(
        self, body: httpx2.AsyncByteStream, take_back: Callable[[], Awaitable[None]]
    ) -> None:
        self._body = body
        self._take_back: Callable[[], Awaitable[None]] | None = take_back

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.__aiter__()

    async def aclose(self) -> None:
        take_back, self._take_back = self._take_back, None
        try:
            await self._body.aclose()
        finally:
            if take_back is not None:
                await take_back()
