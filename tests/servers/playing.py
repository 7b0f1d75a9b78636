"""Saying a reply to a request as it was meant: streamed or whole, at the wished pace."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.servers.dialects import anthropic, chat, gemini, responses
from tests.servers.dialects.frame import DELTAS, Answer, Frame, encode
from tests.servers.http1 import Connection
from tests.servers.recorded import Recorded
from tests.servers.script import Reply

SSE = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Encoder:
    """How a dialect writes an answer."""

    body: Callable[[Answer], dict[str, Any]]
    frames: Callable[[Answer], Iterator[Frame]]
    broken: Callable[[Answer, int | str, str], Frame]
    error_code: int | str


ENCODERS = {
    "chat": Encoder(chat.body, chat.frames, chat.broken, 502),
    "responses": Encoder(responses.body, responses.frames, responses.broken, "server_error"),
    "anthropic": Encoder(anthropic.body, anthropic.frames, anthropic.broken, "overloaded_error"),
    "gemini": Encoder(gemini.body, gemini.frames, gemini.broken, 503),
}


def prepare(request: Recorded, reply: Reply, serial: int) -> Answer:
    """The reply as an answer to this request."""
    return Answer(
        reply=reply,
        model=request.model or "scripted-model",
        payload=request.payload,
        serial=serial,
        created=int(request.received_at),
        request_size=len(request.body),
    )


def sse(frame: Frame) -> bytes:
    """A frame as a server-sent event."""
    if frame.event is None:
        return f"data: {frame.data}\n\n".encode()
    return f"event: {frame.event}\ndata: {frame.data}\n\n".encode()


def play(connection: Connection, request: Recorded, reply: Reply, serial: int) -> None:
    """Say the whole reply. Raises `OSError` when the client hangs up."""
    encoder = ENCODERS[request.dialect]
    answer = prepare(request, reply, serial)
    if reply.delay:
        connection.wait(reply.delay)
    if request.stream and (request.dialect != "gemini" or "alt=sse" in request.path):
        connection.start({**SSE, **reply.headers})
        pace(connection, reply, ((f.part in DELTAS, sse(f)) for f in encoder.frames(answer)))
        return
    hold(connection, reply)
    if request.stream:
        body = f"[{','.join(frame.data for frame in encoder.frames(answer))}]"
    else:
        body = encode(encoder.body(answer))
    connection.respond(200, {**JSON, **reply.headers}, body.encode())


def pace(
    connection: Connection,
    reply: Reply,
    pieces: Iterable[tuple[bool, bytes]],
    *,
    ending: bool = True,
) -> None:
    """Write the pieces (is it a delta, its bytes), waiting where the reply says so."""
    pending: list[bytes] = []
    deltas = 0
    held = False

    def flush(*, last: bool = False) -> None:
        connection.chunks(pending, last=last)
        pending.clear()

    for is_delta, data in pieces:
        if not held and deltas >= reply.hold_after:
            if reply.hold is not None or reply.reached is not None:
                flush()
                hold(connection, reply)
            held = True
        pending.append(data)
        if is_delta:
            deltas += 1
            if reply.pause:
                flush()
                connection.wait(reply.pause)
    flush(last=ending)


def hold(connection: Connection, reply: Reply) -> None:
    """Tell that this place is reached, and wait until the test lets go."""
    if reply.reached is not None:
        reply.reached.set()
    if reply.hold is not None:
        connection.wait(None, reply.hold)
