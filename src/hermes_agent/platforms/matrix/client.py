"""Calls of the client-server API: https://spec.matrix.org/latest/client-server-api/#api-standards.

Requests go straight through a transport, because httpx2's client writes URLs into its log. The
token travels in a header.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import HermesError
from hermes_agent.platforms.base import PlatformDown, PlatformRefused, SendRefused
from hermes_agent.platforms.matrix.fields import Json, mapping, number, text

if TYPE_CHECKING:
    import httpx2

MEDIA = "/_matrix/client/v1/media/download"
OLD_MEDIA = "/_matrix/media/v3/download"
UPLOAD = "/_matrix/media/v3/upload"
MAX_ANSWER = 64 * 1024 * 1024
CONNECT = 15.0
SILENCE = 30.0
UPLOAD_SILENCE = 120.0
LOGIN_HINT = (
    "Set MATRIX_ACCESS_TOKEN in .env to a valid one (Element: Settings, Help & About, Advanced), "
    "or set MATRIX_USER_ID and MATRIX_PASSWORD instead."
)


class Refused(SendRefused):
    """The homeserver answered with an error. `code` is its `errcode`."""

    def __init__(self, what: str, status: int, code: str, said: str) -> None:
        super().__init__(f"Matrix refused {what}: {status} {code} {said}".strip()[:300])
        self.status = status
        self.code = code


class TokenGone(PlatformRefused):
    """The homeserver does not know the access token, or not any more."""


class Client:
    """One account at one homeserver. Connections are made when they are first needed."""

    def __init__(self, homeserver: str, token: Secret) -> None:
        self.homeserver = homeserver
        self.token = token
        self._transport: httpx2.AsyncHTTPTransport | None = None

    async def call(
        self,
        method: str,
        *path: str,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
        silence: float = SILENCE,
        version: str = "v3",
    ) -> Json:
        """Call `/_matrix/client/<version>/<path>`; `silence` is how many seconds without a byte
        are borne.

        Raises `Refused`, `PlatformDown` (no connection, 5xx, a limit, an answer that is none) and
        `PlatformRefused` (`TokenGone`, the account).
        """
        where = "/".join(quote(each, safe="") for each in path)
        url = f"{self.homeserver}/_matrix/client/{version}/{where}" + (
            f"?{urlencode(query)}" if query else ""
        )
        content = b"" if method == "GET" else msgspec.json.encode(body or {})
        kind = {"content-type": "application/json"} if content else {}
        async with self._sent(method, url, content, kind, silence, path[0]) as response:
            return await self._json(response, path[0])

    async def upload(
        self, pieces: AsyncIterable[bytes], size: int, media_type: str, name: str
    ) -> str:
        """Store a file at the homeserver; its `mxc://` address. Raises as `call` does."""
        url = f"{self.homeserver}{UPLOAD}" + (f"?{urlencode({'filename': name})}" if name else "")
        kind = {"content-type": media_type, "content-length": str(size)}
        async with self._sent("POST", url, pieces, kind, UPLOAD_SILENCE, "upload") as response:
            address = text(await self._json(response, "upload"), "content_uri")
        if not address.startswith("mxc://"):
            raise PlatformDown("Matrix told no address of the uploaded file.")
        return address

    @asynccontextmanager
    async def download(self, server: str, media: str) -> "AsyncGenerator[httpx2.Response]":
        """A file; the body is yet to be read. Raises as `call` does."""
        where = f"{quote(server, safe='')}/{quote(media, safe='')}"
        try:
            async with self._media(f"{self.homeserver}{MEDIA}/{where}", where) as response:
                yield response
                return
        except Refused as error:
            # Servers before version 1.11 of the specification.
            if error.code != "M_UNRECOGNIZED":
                raise
        async with self._media(f"{self.homeserver}{OLD_MEDIA}/{where}", where) as response:
            yield response

    async def close(self) -> None:
        """Close the connections."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    @asynccontextmanager
    async def _media(self, url: str, where: str) -> "AsyncGenerator[httpx2.Response]":
        async with self._sent("GET", url, b"", {}, SILENCE, "download") as response:
            if response.status_code == 200:
                yield response
                return
            place = response.headers.get("location", "")
            if (
                response.status_code not in (301, 302, 307, 308)
                or urlsplit(place).scheme != "https"
            ):
                await self._json(response, "download")
                raise PlatformDown(f"Matrix answered a download with {response.status_code}.")
        async with self._sent("GET", place, b"", None, SILENCE, "download") as response:
            if response.status_code != 200:
                raise PlatformDown(f"The store of {where} answered {response.status_code}.")
            yield response

    @asynccontextmanager
    async def _sent(
        self,
        method: str,
        url: str,
        content: bytes | AsyncIterable[bytes],
        headers: dict[str, str] | None,
        silence: float,
        what: str,
    ) -> "AsyncGenerator[httpx2.Response]":
        """`headers` are None for a server that must not have the token."""
        import httpx2

        sent = dict(headers or {})
        if headers is not None and self.token:
            sent["authorization"] = f"Bearer {self.token.reveal()}"
        timeouts = {"connect": CONNECT, "read": silence, "write": UPLOAD_SILENCE, "pool": CONNECT}
        extensions: dict[str, Any] = {"timeout": timeouts}
        if self._transport is None:
            self._transport = _open(self.homeserver)
        try:
            request = httpx2.Request(
                method, url, content=content, headers=sent, extensions=extensions
            )
            response = await self._transport.handle_async_request(request)
            try:
                yield response
            finally:
                await response.aclose()
        except httpx2.TimeoutException as error:
            raise PlatformDown(f"Matrix did not answer {what} in time.") from error
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            said = str(error) or type(error).__name__
            raise PlatformDown(f"{self.homeserver} cannot be reached: {said[:200]}.") from error

    async def _json(self, response: "httpx2.Response", what: str) -> Json:
        gathered = bytearray()
        async for piece in response.aiter_bytes():
            gathered += piece
            if len(gathered) > MAX_ANSWER:
                raise PlatformDown(f"Matrix's answer to {what} is too large.")
        try:
            answer = mapping(msgspec.json.decode(gathered))
        except (msgspec.DecodeError, UnicodeDecodeError):
            answer = {}
        status = response.status_code
        if 200 <= status < 300:
            return answer
        raise refusal(what, status, answer, response.headers.get("retry-after", ""))


def refusal(what: str, status: int, answer: Json, after: str = "") -> HermesError:
    """The error that the gateway understands.
    https://spec.matrix.org/latest/client-server-api/#standard-error-response"""
    code, said = text(answer, "errcode"), text(answer, "error")[:200]
    if status == 429 or code == "M_LIMIT_EXCEEDED":
        wait = number(answer, "retry_after_ms") / 1000 or (float(after) if after.isdigit() else 5.0)
        return PlatformDown(f"Matrix asks to wait {wait:.1f} s.", retry_after=wait)
    if code in ("M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"):
        return TokenGone("Matrix does not know the access token.", hint=LOGIN_HINT)
    if code in ("M_USER_DEACTIVATED", "M_USER_LOCKED", "M_USER_SUSPENDED", "M_CONSENT_NOT_GIVEN"):
        return PlatformRefused(
            f"Matrix lets this account do nothing: {code} {said}",
            hint="Ask whoever runs the homeserver, or set another account.",
        )
    if status >= 500 or status == 408 or not code:
        return PlatformDown(f"Matrix answered {what} with {status} {said}".strip() + ".")
    return Refused(what, status, code, said)


def _open(homeserver: str) -> "httpx2.AsyncHTTPTransport":
    import ssl
    from urllib.request import getproxies, proxy_bypass

    import httpx2

    parts = urlsplit(homeserver)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy is not None and (
        proxy_bypass(parts.hostname or "") or not proxy.startswith(("http://", "https://"))
    ):
        proxy = None
    secure = parts.scheme == "https" or (proxy or "").startswith("https")
    # An empty context spares reading 150 certificates where there is no TLS.
    context = (
        httpx2.create_ssl_context(trust_env=True)
        if secure
        else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    return httpx2.AsyncHTTPTransport(
        verify=context,
        proxy=proxy,
        limits=httpx2.Limits(
            max_connections=None, max_keepalive_connections=8, keepalive_expiry=60
        ),
    )
