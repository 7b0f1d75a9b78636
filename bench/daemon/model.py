"""A model server for many at once: `python -m bench.daemon.model`, a program of its own.

Prints its base URL. Speaks chat-completions, streaming, on one event loop, so that a thousand open
answers cost it little. What a person said last decides: with `work` a tool is called first, with
`hold` the answer waits for `GET /release`, all else is answered at once. `GET /received` gives a
JSON list of `[text, when]`: what was said and the monotonic clock (which all processes of a machine
share) at the moment when the request was here whole. `GET /count` gives how many.
"""

import asyncio
import json
import time
from typing import Any

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWER = "Hello! How can I help you today?"
COMMAND = "echo this is a tool at work"


class Model:
    """What all connections share."""

    def __init__(self) -> None:
        self.received: list[tuple[str, float]] = []
        self.released = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection until it is closed."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_length(head))
                await self._answer(head.split(b" ", 2)[1].decode(), body, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        if path.endswith("/chat/completions"):
            now = time.monotonic()
            await self._stream(json.loads(body)["messages"], now, writer)
        elif path == "/received":
            _whole(writer, self.received)
        elif path == "/count":
            _whole(writer, len(self.received))
        elif path == "/release":
            self.released.set()
            _whole(writer, True)
        elif path.endswith("/models"):
            _whole(writer, {"object": "list", "data": [{"id": "scripted-model"}]})
        else:
            _whole(writer, {}, b"404 Not Found")

    async def _stream(
        self, messages: list[dict[str, Any]], now: float, writer: asyncio.StreamWriter
    ) -> None:
        said = next(str(m["content"]) for m in reversed(messages) if m["role"] == "user")
        self.received.append((said, now))
        calls = "work" in said and messages[-1]["role"] == "user"
        if "hold" in said and not calls:
            await self.released.wait()
        if calls:
            function = {"name": "terminal", "arguments": json.dumps({"command": COMMAND})}
            call = {"index": 0, "id": "call_1", "type": "function", "function": function}
            delta, finish = {"role": "assistant", "tool_calls": [call]}, "tool_calls"
        else:
            delta, finish = {"role": "assistant", "content": ANSWER}, "stop"
        usage = {"prompt_tokens": 100, "completion_tokens": 8, "total_tokens": 108}
        events = (_event(delta), _event({}, finish), _event(None, usage=usage))
        writer.write(HEAD + b"".join(events) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _event(
    delta: dict[str, Any] | None, finish: str | None = None, usage: dict[str, int] | None = None
) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    value = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "scripted-model",
        "choices": choices,
        "usage": usage,
    }
    return _chunk(f"data: {json.dumps(value)}\n\n".encode())


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _whole(writer: asyncio.StreamWriter, value: object, status: bytes = b"200 OK") -> None:
    body = json.dumps(value).encode()
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % (status, len(body)) + body)


async def main() -> None:
    """Serve until ended."""
    model = Model()
    server = await asyncio.start_server(model.serve, "127.0.0.1", 0, backlog=2048, limit=8_000_000)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
