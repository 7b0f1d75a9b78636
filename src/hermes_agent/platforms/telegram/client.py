"""Calls of the Bot API: https://core.telegram.org/bots/api#making-requests.

The token stands in every URL, as the API wants it. Requests go straight through a transport,
because httpx2's client writes URLs into its log.
"""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hermes_agent.platforms.base import PlatformDown, PlatformRefused, SendRefused
from hermes_agent.platforms.telegram.wire import Answer, Parameters, decoded

if TYPE_CHECKING:
    import httpx2

    from hermes_agent.config.secret import Secret

_T = TypeVar("_T")

MAX_ANSWER = 32 * 1_048_576
CONNECT = 15.0
SILENCE = 30.0
UPLOAD_SILENCE = 120.0

_log = logging.getLogger(__name__)


class Refused(SendRefused):
    """The Bot API answered that it is not ok. `code` is its `error_code`."""

    def __init__(self, method: str, code: int, description: str, parameters: Parameters) -> None:
        super().__init__(f"Telegram refused {method}: {code} {description}")
        self.code = code
        self.description = description
        self.parameters = parameters

    def says(self, *words: str) -> bool:
        """Whether the description holds one of these; the API has no other way to tell."""
        text = self.description.lower()
        return any(word in text for word in words)


class Conflict(PlatformDown):
    """Somebody else takes this bot's updates."""


class Client:
    """One bot at one address. Connections are made when they are first needed."""

    def __init__(self, token: "Secret", base_url: str, *, proxy: "Secret | None" = None) -> None:
        self._token = token
        self._base = base_url
        self._proxy = proxy
        self._transport: httpx2.AsyncHTTPTransport | None = None

    async def call(
        self,
        method: str,
        result: type[_T],
        parameters: Mapping[str, object] | None = None,
        *,
        silence: float = SILENCE,
        files: Mapping[str, Any] | None = None,
    ) -> _T:
        """Call a method; parameters that are None are left out. `silence` is how many seconds
        without a byte are borne; `files` are uploads as httpx2 takes them.

        Raises `Refused`, `Conflict`, `PlatformDown` (no connection, 5xx, flood limit, an answer
        that is none) and `PlatformRefused` (the token).
        """
        import httpx2

        given = {name: value for name, value in (parameters or {}).items() if value is not None}
        url = f"{self._base}/bot{self._token.reveal()}/{method}"
        if files is None:
            request = httpx2.Request(
                "POST",
                url,
                content=msgspec.json.encode(given),
                headers={"content-type": "application/json"},
                extensions=_timeouts(silence),
            )
        else:
            fields = {
                name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
                for name, value in given.items()
            }
            request = httpx2.Request(
                "POST", url, data=fields, files=files, extensions=_timeouts(UPLOAD_SILENCE)
            )
        async with self._sent(request, method) as response:
            body = await self._whole(response, method)
            return self._result(method, response.status_code, body, result)

    @asynccontextmanager
    async def download(self, path: str) -> "AsyncGenerator[httpx2.Response]":
        """A file by its `file_path`; the body is yet to be read. Raises `PlatformDown`."""
        import httpx2

        url = f"{self._base}/file/bot{self._token.reveal()}/{path}"
        request = httpx2.Request("GET", url, extensions=_timeouts(SILENCE))
        async with self._sent(request, "a download") as response:
            if response.status_code != 200:
                raise PlatformDown(f"Telegram answered a download with {response.status_code}.")
            yield response

    async def close(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    @asynccontextmanager
    async def _sent(
        self, request: "httpx2.Request", what: str
    ) -> "AsyncGenerator[httpx2.Response]":
        import httpx2

        if self._transport is None:
            self._transport = _open(self._base, self._proxy)
        try:
            response = await self._transport.handle_async_request(request)
            try:
                yield response
            finally:
                await response.aclose()
        except httpx2.TimeoutException as error:
            raise PlatformDown(f"Telegram did not answer {what} in time.") from error
        except httpx2.TransportError as error:
            # The request, and with it the URL, stays out of the message.
            said = str(error) or type(error).__name__
            raise PlatformDown(f"Telegram cannot be reached: {self._bare(said)}.") from error

    async def _whole(self, response: "httpx2.Response", method: str) -> bytes:
        gathered = bytearray()
        async for piece in response.aiter_bytes():
            gathered += piece
            if len(gathered) > MAX_ANSWER:
                raise PlatformDown(f"Telegram's answer to {method} is too large.")
        return bytes(gathered)

    def _bare(self, text: str) -> str:
        """Without the token, which a server in between may repeat from the URL, even escaped."""
        number, _, secret = self._token.reveal().partition(":")
        for each in (f"{number}:{secret}", secret):
            text = text.replace(each, "***")
        return text.rstrip(".")

    def _result(self, method: str, status: int, body: bytes, result: type[_T]) -> _T:
        try:
            answer = decoded(body, Answer)
        except msgspec.DecodeError as error:
            begin = self._bare(body[:400].decode("utf-8", "replace"))[:80]
            raise PlatformDown(
                f"What answered {method} with {status} is not the Bot API: {begin!r}."
            ) from error
        if not answer.ok:
            raise _refusal(method, status, self._bare(answer.description), answer)
        try:
            return decoded(bytes(answer.result), result)
        except msgspec.DecodeError as error:
            raise PlatformDown(f"Telegram's answer to {method} cannot be read: {error}.") from error


def _timeouts(silence: float) -> dict[str, Any]:
    return {
        "timeout": {"connect": CONNECT, "read": silence, "write": UPLOAD_SILENCE, "pool": CONNECT}
    }


def _open(base: str, chosen: "Secret | None") -> "httpx2.AsyncHTTPTransport":
    import ssl
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    import httpx2

    parts = urlsplit(base)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if chosen is not None:
        proxy = chosen.reveal()
    elif proxy is not None and proxy_bypass(parts.hostname or ""):
        proxy = None
    if proxy is not None and not proxy.startswith(("http://", "https://")):
        raise PlatformRefused(
            "telegram: the proxy of the environment is none for HTTP.",
            hint="Set platforms.telegram.extra.proxy to an http:// address.",
        )
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
            max_connections=None, max_keepalive_connections=8, keepalive_expiry=120
        ),
    )


def _refusal(method: str, status: int, description: str, answer: Answer) -> Exception:
    code = answer.error_code or status
    parameters = answer.parameters or Parameters()
    if code == 401 or (code == 404 and description == "Not Found"):
        # A token of the wrong form gives 404 before 401.
        return PlatformRefused(
            "Telegram does not know this bot token.",
            hint="Get a valid one from @BotFather and set TELEGRAM_BOT_TOKEN.",
        )
    if code == 409:
        return Conflict(f"Somebody else takes this bot's updates: {description}.")
    if code == 429:
        wait = parameters.retry_after or 5.0
        return PlatformDown(f"Telegram's flood limit for {method}: {wait:.0f} s.", retry_after=wait)
    if code >= 500:
        return PlatformDown(f"Telegram answered {method} with {code} {description}.")
    return Refused(method, code, description, parameters)
