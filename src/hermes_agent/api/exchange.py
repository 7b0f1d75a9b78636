"""One request and its answer, over ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html)."""

import asyncio
import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import parse_qsl

import msgspec

from hermes_agent.api.refusal import Refusal

if TYPE_CHECKING:
    from hermes_agent.api.idempotency import Tape

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
HeaderList = Sequence[tuple[str, str]]

JSON = "application/json"
EVENTS = "text/event-stream"
_DISCARDED_BODIES = 8
_DISCARD_TIME = 5.0
_NO_REASONS: Mapping[str, str] = {}
_encode = msgspec.json.Encoder().encode
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Decoder(Protocol[_T_co]):
    """A `msgspec.json.Decoder`."""

    def decode(self, buf: bytes, /) -> _T_co: ...


class Exchange:
    """A request in hand. `params` are the variable parts of the path, `shared` the headers that
    every answer to it gets."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.raw_path: str = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        self.raw_headers: list[tuple[bytes, bytes]] = scope["headers"]
        self.headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in self.raw_headers
        }
        self.params: dict[str, str] = {}
        self.shared: list[tuple[bytes, bytes]] = []
        self.status = 0
        self.finished = False
        self.tape: Tape | None = None
        self.body = b""
        self._scope = scope
        self._receive = receive
        self._send = send
        self._more_body = True

    @property
    def from_loopback(self) -> bool:
        """Whether the client is on this machine."""
        client = self._scope.get("client")
        try:
            return client is not None and ipaddress.ip_address(client[0]).is_loopback
        except ValueError:
            return False

    @property
    def http_version(self) -> str:
        """`1.0` or `1.1`."""
        return self._scope["http_version"]

    def query(self, *names: str) -> dict[str, str]:
        """The parameters behind the `?`. Raises `Refusal` for others than `names`, and twice."""
        raw = self._scope["query_string"].decode("latin-1")
        try:
            pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=32)
        except ValueError:
            raise Refusal(400, "The query of the address cannot be read.") from None
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Refusal(400, "A parameter of the query stands twice.", code="invalid_value")
        unknown = sorted(found.keys() - set(names))
        if unknown:
            known = ", ".join(names) or "none"
            # The name only: a value here may be a key that someone put into the address.
            raise Refusal(
                400,
                f"Unknown query parameter {unknown[0][:60]!r}; known here: {known}.",
                code="unknown_parameter",
            )
        return found

    def whole_number(self, text: str | None, name: str, *, default: int, most: int) -> int:
        """A parameter of the query that counts something from 1 to `most`."""
        if text is None:
            return default
        if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most:
            return int(text)
        raise Refusal(
            400,
            f"{name} must be a whole number from 1 to {most}.",
            param=name,
            code="invalid_value",
        )

    async def read(self, limit: int, time: float) -> bytes:
        """The whole body. Raises `Refusal` when it is larger than `limit` bytes, or when it takes
        longer than `time` seconds, or breaks off."""
        told = self.headers.get("content-length", "0")
        if told.isdigit() and int(told) > limit:
            raise _too_large(limit)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(time):
                while self._more_body:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        self._more_body = False
                        raise Gone
                    part: bytes = message.get("body", b"")
                    self._more_body = message.get("more_body", False)
                    size += len(part)
                    if size > limit:
                        raise _too_large(limit)
                    parts.append(part)
        except TimeoutError:
            raise Refusal(
                408, f"The body did not come within {time:.0f} seconds.", code="too_slow"
            ) from None
        self.body = b"".join(parts)
        return self.body

    async def discard(self, limit: int) -> None:
        """Read the rest of the body to nowhere, up to a point: a connection that is closed with
        unread bytes in it is reset, and the client never sees why."""
        if self._more_body and self.headers.get("expect", "").lower() != "100-continue":
            left = limit * _DISCARDED_BODIES
            try:
                async with asyncio.timeout(_DISCARD_TIME):
                    while self._more_body and left > 0:
                        message = await self._receive()
                        left -= len(message.get("body", b""))
                        self._more_body = message.get("more_body", False)
            except TimeoutError:
                return

    @property
    def unread(self) -> bool:
        """Whether there is more of the body to come."""
        return self._more_body and (
            "transfer-encoding" in self.headers or self.headers.get("content-length", "0") != "0"
        )

    def decode(self, decoder: Decoder[_T], reasons: Mapping[str, str] = _NO_REASONS) -> _T:
        """The body as the decoder's type. Raises `Refusal` that says where it is wrong, and why
        that is so where `reasons` knows the field."""
        kind = self.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if kind != JSON and not kind.endswith("+json"):
            raise Refusal(
                415, "The body must be JSON (content-type: application/json).", code="not_json"
            )
        try:
            return decoder.decode(self.body)
        except msgspec.ValidationError as error:
            told, _, where = str(error).partition(" - at `$")
            param = where.removeprefix(".").rstrip("`") or None
            message = f"{told}, at {param}." if param else f"{told}."
            field = re.sub(r"\[.*?\]", "", param or "")
            reason = next(
                (why for name, why in reasons.items() if f"{field}.".startswith(f"{name}.")), ""
            )
            message = f"{message} {reason}".strip()
            raise Refusal(400, message, param=param, code="invalid_value") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refusal(400, f"The body is not valid JSON: {error}.", code="bad_json") from None
        except RecursionError:
            raise Refusal(400, "The body is nested too deeply.", code="bad_json") from None

    async def disconnected(self) -> None:
        """Returns once the client is gone, or has the whole answer."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def answer(
        self, value: object, *, status: int = 200, headers: HeaderList = (), kind: str = JSON
    ) -> None:
        """The whole answer at once: bytes as they are, anything else as JSON."""
        if status == 204:
            await self.begin(status, headers)
            await self.write(b"", last=True)
            return
        body = value if isinstance(value, bytes) else _encode(value)
        await self.begin(
            status, (("content-type", kind), ("content-length", str(len(body))), *headers)
        )
        await self.write(body, last=True)

    async def begin(self, status: int, headers: HeaderList) -> None:
        """The status and the headers."""
        self.status = status
        if self.tape is not None:
            self.tape.begin(status, headers)
        sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        start = {"type": "http.response.start", "status": status, "headers": sent + self.shared}
        await self._send(start)

    async def begin_events(self, headers: HeaderList = ()) -> None:
        """The beginning of a stream of server-sent events."""
        await self.begin(
            200,
            (
                ("content-type", "text/event-stream; charset=utf-8"),
                ("cache-control", "no-cache"),
                ("x-accel-buffering", "no"),
                *headers,
            ),
        )

    async def write(self, data: bytes, *, last: bool = False) -> None:
        """More of the body."""
        self.finished = last
        if self.tape is not None:
            self.tape.add(data, last=last)
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})


class Gone(Exception):
    """The client went away before its request was whole."""


def _too_large(limit: int) -> Refusal:
    return Refusal(413, f"The body is larger than {limit:,} bytes.", code="body_too_large")
