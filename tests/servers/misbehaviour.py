"""Playing faults: refusals, silence, broken connections, and streams written oddly or wrongly.

Quirks of a stream (`Fault.stream`). Right by the specification of server-sent events
(https://html.spec.whatwg.org/multipage/server-sent-events.html), if unusual: `crlf` line ends,
`bom`, `comments` (keep-alive lines, and pings on Anthropic), `no-space` after the colon,
`split-data` over two data lines, `split-utf8` (packets that end inside a character), `dribble`
(one byte a packet), `long-line` (a megabyte in one event), `unknown-events`, `extra-fields`.
Wrong: `bad-json` in one event, `cut-event` (ends inside the last delta's event), `no-end` (no
`[DONE]`, `message_stop` or `response.completed`), `no-finish` (no finish reason), `no-usage`,
`keep-open` (everything is said but the response never ends).
"""

import itertools
import json
from collections.abc import Iterator
from typing import Any, cast

from tests.servers.dialects.frame import DELTAS, Frame, encode
from tests.servers.errors import refusal
from tests.servers.http1 import Connection
from tests.servers.playing import ENCODERS, JSON, SSE, pace, prepare, sse
from tests.servers.recorded import MODEL_DIALECTS, Recorded
from tests.servers.script import Fault

UNTOUCHED = ("args", "input", "arguments", "metadata", "tools")
FINISHES = ("finish_reason", "stop_reason", "finishReason")
USAGES = ("usage", "usageMetadata")
UNKNOWN = {
    "chat": '{"object":"scripted.unknown","note":"nobody knows this"}',
    "gemini": '{"scriptedUnknown":{"note":"nobody knows this"}}',
}


def misbehave(connection: Connection, request: Recorded, fault: Fault, serial: int) -> None:
    """Do what the fault says. Raises `OSError` when the client hangs up."""
    if fault.delay:
        connection.wait(fault.delay)
    if fault.kind == "refuse":
        connection.respond(*refusal(fault, request.dialect, serial))
    elif fault.kind == "raw":
        body = fault.body or b""
        raw = body.encode() if isinstance(body, str) else body
        connection.respond(fault.status or 200, fault.headers, raw)
    elif fault.kind in ("hang", "reset", "close"):
        _say_beginning(connection, request, fault, serial)
        _break_off(connection, fault)
    elif fault.kind == "error":
        _say_error(connection, request, fault, serial)
    else:
        _say_oddly(connection, request, fault, serial)


def _break_off(connection: Connection, fault: Fault) -> None:
    if fault.kind == "hang":
        connection.wait(None)
    elif fault.kind == "reset":
        connection.reset()
    else:
        connection.keep_alive = False


def _say_beginning(connection: Connection, request: Recorded, fault: Fault, serial: int) -> None:
    if fault.where == "start" or request.dialect not in MODEL_DIALECTS:
        return
    encoder = ENCODERS[request.dialect]
    answer = prepare(request, fault.reply, serial)
    if not request.stream:
        body = encode(encoder.body(answer)).encode()
        connection.start(JSON, length=len(body))
        if fault.where != "headers":
            connection.raw(body[: len(body) // 2])
        return
    connection.start(SSE)
    if fault.where == "headers":
        return
    counted = ("arguments",) if fault.where == "arguments" else DELTAS
    pieces = list(_until(encoder.frames(answer), counted, fault.after))
    if fault.where == "arguments" and request.dialect == "gemini" and pieces:
        pieces[-1] = pieces[-1][: len(pieces[-1]) // 2]
    connection.chunks(pieces, last=False)


def _until(frames: Iterator[Frame], counted: tuple[str, ...], after: int) -> Iterator[bytes]:
    """The events up to and with the delta number `after`, all of them if there are fewer."""
    seen = 0
    for frame in frames:
        is_counted = frame.part in counted
        if is_counted and seen >= after:
            return
        seen += is_counted
        yield sse(frame)
        if is_counted and seen == after:
            return


def _say_error(connection: Connection, request: Recorded, fault: Fault, serial: int) -> None:
    encoder = ENCODERS[request.dialect]
    answer = prepare(request, fault.reply, serial)
    code = encoder.error_code if fault.code is None else fault.code
    broken = encoder.broken(answer, code, fault.message or "")
    if not request.stream:
        whole = json.loads(broken.data)
        error = {"error": whole["error"]} if request.dialect == "chat" else whole
        body = whole["response"] if request.dialect == "responses" else error
        connection.respond(200, JSON, encode(body).encode())
        return
    connection.start(SSE)
    pieces = list(_until(encoder.frames(answer), DELTAS, fault.after)) if fault.after else []
    pieces.append(sse(broken))
    if request.dialect == "chat":
        pieces.append(b"data: [DONE]\n\n")
    connection.chunks(pieces, last=True)


def _say_oddly(connection: Connection, request: Recorded, fault: Fault, serial: int) -> None:
    encoder = ENCODERS[request.dialect]
    answer = prepare(request, fault.reply, serial)
    if not request.stream:
        body = encode(_reshape(encoder.body(answer), fault)).encode()
        connection.respond(
            200, JSON, body[: len(body) // 2] if "bad-json" in fault.quirks else body
        )
        return
    frames = list(encoder.frames(answer))
    connection.start(SSE)
    open_end = "keep-open" in fault.quirks
    pace(connection, fault.reply, _distort(frames, request, fault), ending=not open_end)
    if open_end:
        connection.wait(None)


def _distort(frames: list[Frame], request: Recorded, fault: Fault) -> Iterator[tuple[bool, bytes]]:
    quirks = fault.quirks
    seen = 0
    last_delta = max((n for n, f in enumerate(frames) if f.part in DELTAS), default=0)
    if "bom" in quirks:
        yield False, "\ufeff".encode()
    for number, frame in enumerate(frames):
        if frame.part in _dropped(request, fault):
            continue
        seen += frame.part in DELTAS
        shaped = frame
        if frame.data != "[DONE]":
            shaped = frame._replace(data=encode(_reshape(json.loads(frame.data), fault)))
        here = frame.part in DELTAS and seen == fault.after
        if here and "bad-json" in quirks:
            shaped = shaped._replace(data=shaped.data[: len(shaped.data) // 2])
        if here and "long-line" in quirks:
            shaped = shaped._replace(data=f'{{"padding":"{"x" * 1_000_000}",{shaped.data[1:]}')
        raw = _written(shaped, fault)
        if "comments" in quirks:
            ping = (
                'event: ping\ndata: {"type": "ping"}\n\n' if request.dialect == "anthropic" else ""
            )
            raw = f": keep-alive\n\n{ping}".encode() + raw
        if here and "unknown-events" in quirks:
            raw += _unknown(request)
        if "crlf" in quirks:
            raw = raw.replace(b"\n", b"\r\n")
        if "cut-event" in quirks and number == last_delta:
            yield True, raw[: len(raw) // 2]
            return
        for piece in _packets(raw, fault):
            yield frame.part in DELTAS, piece


def _dropped(request: Recorded, fault: Fault) -> tuple[str, ...]:
    dropped: tuple[str, ...] = ()
    if "no-end" in fault.quirks:
        dropped += ("end",) if request.dialect in ("chat", "anthropic") else ("finish",)
    if "no-finish" in fault.quirks:
        dropped += ("finish",)
    if "no-usage" in fault.quirks:
        dropped += ("usage",)
    return dropped


def _written(frame: Frame, fault: Fault) -> bytes:
    raw = sse(frame)
    if "split-data" in fault.quirks and frame.data.startswith("{"):
        raw = raw.replace(b"data: {", b"data: {\ndata: ", 1)
    if "no-space" in fault.quirks:
        raw = raw.replace(b"\ndata: ", b"\ndata:").replace(b"event: ", b"event:", 1)
        raw = raw.removeprefix(b"data: ").join((b"data:", b"")) if raw[:6] == b"data: " else raw
    return raw


def _packets(raw: bytes, fault: Fault) -> list[bytes]:
    if "dribble" in fault.quirks:
        return [raw[place : place + 1] for place in range(len(raw))]
    if "split-utf8" not in fault.quirks:
        return [raw]
    cuts = [0, *(n for n, byte in enumerate(raw) if 0x80 <= byte < 0xC0), len(raw)]
    return [raw[a:b] for a, b in itertools.pairwise(cuts)]


def _unknown(request: Recorded) -> bytes:
    data = UNKNOWN.get(request.dialect, '{"type":"scripted.unknown","note":"nobody knows this"}')
    return f"event: scripted.unknown\nid: 7\nretry: 10\ndata: {data}\n\n".encode()


def _reshape(value: Any, fault: Fault) -> Any:
    """JSON with fields added or taken away, as the quirks say."""
    if isinstance(value, list):
        return [_reshape(each, fault) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    shaped: dict[str, Any] = {}
    for key, inner in cast("dict[str, Any]", value).items():
        if "no-usage" in fault.quirks and key in USAGES:
            continue
        if "no-finish" in fault.quirks and key in FINISHES:
            shaped[key] = None
            continue
        shaped[key] = inner if key in UNTOUCHED else _reshape(inner, fault)
    if "extra-fields" in fault.quirks:
        shaped["x_scripted_unknown"] = {"nested": [1, None, "two"]}
    return shaped
