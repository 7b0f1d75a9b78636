"""The scripted model server as a program, for tests and benchmarks that want it out of process.

`python -m tests.servers.model [--script FILE.json] [--echo-tools N] [--port N] [--log FILE]`
prints its base URL as the first line and serves until it is ended.

The script is a list of replies, or an object with `replies`, `rules`, `always`, `models` and
`pages`. A reply is an object of `Reply`'s fields (`calls` of `Call`'s, `usage` of `Usage`'s;
events excepted). A fault has the key `fault`, the name of one of `Fault`'s class methods, and
its arguments by name; `quirks` are the positional ones of `stream`, `reply` is a reply. A rule
is `{"when": "text in the request's body", "say": reply or fault}`; `{"echo_tools": N}` stands
for a reply anywhere.

A line of the log has `path`, `method`, `headers`, `dialect`, `received_at`, `size` (of the body
in bytes) and `json`.
"""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, TextIO, cast

from tests.servers.model import ModelServer, Said
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Fault, Reply, Usage


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.model")
    parser.add_argument("--script", type=Path, help="a JSON file of replies and faults")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, help="append one JSON line per request here")
    parser.add_argument("--echo-tools", type=int, metavar="N", help="N tool calls, then text")
    options = parser.parse_args()
    ended = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    log: TextIO | None = options.log.open("a", encoding="utf-8") if options.log else None
    with ModelServer(port=options.port, on_request=_logger(log) if log else None) as server:
        if options.script:
            load(server, json.loads(options.script.read_text(encoding="utf-8")))
        if options.echo_tools is not None:
            server.always(echo_tools(options.echo_tools))
        print(server.base_url, flush=True)
        ended.wait()
    if log:
        log.close()
    sys.exit(0)


def load(server: ModelServer, script: Any) -> None:
    """Fill a server from a script's JSON. Raises `TypeError` or `KeyError` on a bad one."""
    parts: dict[str, Any] = {"replies": script} if isinstance(script, list) else script
    server.say(*(said(each) for each in parts.get("replies", ())))
    for rule in parts.get("rules", ()):
        server.when(_contains(rule["when"]), said(rule["say"]))
    if "always" in parts:
        server.always(said(parts["always"]))
    server.models = list(parts.get("models", server.models))
    server.pages.update(parts.get("pages", {}))


def said(value: Mapping[str, Any]) -> Said:
    """A reply or a fault from its JSON form."""
    if "echo_tools" in value:
        return echo_tools(int(value["echo_tools"]))
    fields = dict(value)
    name = fields.pop("fault", None)
    if name is None:
        return _reply(fields)
    make: Callable[..., Fault] = getattr(Fault, name)
    quirks = fields.pop("quirks", ())
    if "reply" in fields:
        fields["reply"] = _reply(fields["reply"])
    return make(*quirks, **fields)


def echo_tools(count: int) -> Callable[[Recorded], Reply]:
    """`count` calls of `terminal`, one an answer, then "done"; every turn anew, for ever.

    How far a turn is shows in the request itself, so that any number of clients may ask.
    """

    def answer(request: Recorded) -> Reply:
        step = results_of_turn(request)
        if step >= count:
            return Reply(text="done")
        return Reply(calls=[Call("terminal", {"command": "true"})])

    return answer


def results_of_turn(request: Recorded) -> int:
    """How many tool results stand after the last words of the user."""
    payload = request.payload
    key = {"responses": "input", "gemini": "contents"}.get(request.dialect, "messages")
    messages: Any = payload.get(key)
    count = 0
    for message in reversed(cast("list[Any]", messages) if isinstance(messages, list) else []):
        results, spoken = _kinds(message)
        count += results
        if spoken:
            break
    return count


def _kinds(message: Any) -> tuple[int, bool]:
    """The tool results in a message, and whether the user says something in it."""
    if message.get("role") == "tool" or message.get("type") == "function_call_output":
        return 1, False
    content = message.get("content", message.get("parts", ()))
    if isinstance(content, str):
        return 0, message.get("role") == "user"
    blocks = content or ()
    results = sum(b.get("type") == "tool_result" or "functionResponse" in b for b in blocks)
    return results, message.get("role") == "user" and not results


def _reply(fields: Mapping[str, Any]) -> Reply:
    made = dict(fields)
    made["calls"] = [Call(**call) for call in made.get("calls", ())]
    if made.get("usage") is not None:
        made["usage"] = Usage(**made["usage"])
    return Reply(**made)


def _contains(text: str) -> Callable[[Recorded], bool]:
    return lambda request: text.encode() in request.body


def _logger(log: TextIO) -> Callable[[Recorded], None]:
    lock = threading.Lock()

    def write(request: Recorded) -> None:
        line = {
            "path": request.path,
            "method": request.method,
            "headers": request.headers,
            "dialect": request.dialect,
            "received_at": request.received_at,
            "size": len(request.body),
            "json": request.json,
        }
        with lock:
            log.write(json.dumps(line) + "\n")
            log.flush()

    return write
