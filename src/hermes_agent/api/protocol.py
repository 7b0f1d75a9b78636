"""uvicorn's HTTP/1.1, with the patience of a public place: time limits where it has none.

Loaded by `server` only, since uvicorn is an optional extra.
"""

import asyncio
from typing import TYPE_CHECKING, Any, cast

from msgspec.json import encode
from uvicorn.protocols.http.h11_impl import H11Protocol

from hermes_agent.api.refusal import Refusal

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle


def protocol(header_time: float, write_time: float, max_connections: int) -> type[H11Protocol]:
    """The protocol class with these limits."""
    limits = {
        "header_time": header_time,
        "write_time": write_time,
        "max_connections": max_connections,
    }
    return type("Patient", (_Patient,), limits)


class _Patient(H11Protocol):
    """A client must send a request's head in time, and read what it asked for in time.

    The limits are of the class, because uvicorn makes the instances.
    """

    header_time: float
    write_time: float
    max_connections: int
    _head_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._say(503, "Too many connections.", "too_many_connections")
            return
        self._head_timer = self.loop.call_later(self.header_time, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_timer = _cancelled(self._head_timer)
        self._write_timer = _cancelled(self._write_timer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self.transport.is_closing():
            super().data_received(data)
            self._watch_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.trailing_data[0]:
            self._watch_head()

    def _watch_head(self) -> None:
        """The clock runs from the first byte of a head to its last."""
        if self._request_in_hand() or self.transport.is_closing():
            self._head_timer = _cancelled(self._head_timer)
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.header_time, self._too_slow)

    def _request_in_hand(self) -> bool:
        # uvicorn's annotation leaves out that there is none before the first request.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self.write_time, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._write_timer = _cancelled(self._write_timer)

    def send_400_response(self, msg: str) -> None:
        self._say(400, msg, "bad_request")

    def _too_slow(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self._say(408, "The request did not come in time.", "too_slow")

    def _say(self, status: int, message: str, code: str) -> None:
        """An answer without a request, and the end of the connection."""
        body = encode(Refusal(status, message, code=code).body)
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
        about = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        if not (self._request_in_hand() and self.cycle.response_started):
            self.transport.write(f"{head}{about}connection: close\r\n\r\n".encode() + body)
        self.transport.close()


_REASONS = {400: "Bad Request", 408: "Request Timeout", 503: "Service Unavailable"}


def _cancelled(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
