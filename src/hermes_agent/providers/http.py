"""The process's one HTTP client: no TLS set-up before the first https address, own proxy rules."""

import ipaddress
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    import ssl

LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=120)
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
    """Opens the door that a request needs: plain, TLS, or through a proxy, each made once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._open: dict[tuple[str, str | None], httpx2.AsyncHTTPTransport] = {}
        self._tls: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it through its door."""
        proxy = proxy_for(request.url, self._environ)
        door = self._open.get((request.url.scheme, proxy))
        if door is None:
            door = httpx2.AsyncHTTPTransport(
                verify=self._context(request.url.scheme), proxy=proxy, limits=LIMITS
            )
            self._open[request.url.scheme, proxy] = door
        return await door.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        for door in self._open.values():
            await door.aclose()
        self._open.clear()

    def _context(self, scheme: str) -> "ssl.SSLContext":
        import ssl

        if scheme != "https":
            # Never used on a plain connection; an empty one spares reading 150 certificates.
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self._tls is None:
            self._tls = httpx2.create_ssl_context(trust_env=True)
        return self._tls
