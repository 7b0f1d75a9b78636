"""A model server that knows when it sent each token, for measuring when the token is shown.

It runs in the process that reads what is shown, so both sides look at one clock. Only
chat-completions, only streaming; every answer is the words `w0 w1 w2 …`.
"""

import contextlib
import json
import socket
import threading
import time
from types import TracebackType
from typing import Self

_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
)
_MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class PacedServer:
    """Sends `count` tokens with `pause` seconds between them (0: all in one piece).

    `sent` holds when each token was handed to the kernel (`time.perf_counter`).
    """

    def __init__(self, count: int, pause: float) -> None:
        self.sent: list[float] = []
        self._count = count
        self._pause = pause
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def base_url(self) -> str:
        """As an OpenAI client wants it."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        head, _, body = _read_until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")
        if b"/chat/completions" not in head.split(b"\r\n")[0]:
            connection.sendall(_MISSING)
            return
        fields = (line.partition(b":") for line in head.lower().split(b"\r\n")[1:])
        size = next(int(value) for name, _, value in fields if name == b"content-length")
        while len(body) < size:
            body += connection.recv(65536)
        connection.sendall(_HEAD + _event({"role": "assistant", "content": ""}))
        self.sent.clear()
        tokens = (_event({"content": f"w{number} "}) for number in range(self._count))
        if self._pause:
            for token in tokens:
                time.sleep(self._pause)
                self.sent.append(time.perf_counter())
                connection.sendall(token)
        else:
            burst = b"".join(tokens)
            self.sent.extend([time.perf_counter()] * self._count)
            connection.sendall(burst)
        connection.sendall(_event({}, finish="stop") + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _read_until(connection: socket.socket, mark: bytes) -> bytes:
    data = b""
    while mark not in data:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("the client hung up")
        data += piece
    return data


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    fields = {"id": "chatcmpl-paced", "object": "chat.completion.chunk", "created": 0}
    value = {**fields, "model": "scripted-model", "choices": [choice]}
    return _chunk(f"data: {json.dumps(value)}\n\n".encode())


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
