"""A chat server on loopback that answers as scripted, the way the real one streams."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hermes_agent.providers.embedded.address import Address


class Chat:
    """`answers` in order: pieces of text, or a status with a body. `finish` ends every text;
    None breaks the stream off instead."""

    def __init__(self) -> None:
        self.answers: list[list[str] | tuple[int, bytes]] = []
        self.finish: list[str | None] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.port = 0

    @property
    def address(self) -> Address:
        """What the real server writes into its state file."""
        url = f"http://127.0.0.1:{self.port}"
        return Address(pid=1, started="1", url=url, key="secret", model="m", context=4096)


@contextmanager
def chatting() -> Generator[Chat, None, None]:
    """A running `Chat`."""
    chat = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            chat.requests.append(json.loads(body))
            chat.keys.append(self.headers.get("Authorization"))
            answer = chat.answers.pop(0)
            if isinstance(answer, tuple):
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])
                return
            self.send_response(200)
            self.end_headers()
            for number, piece in enumerate(answer, 1):
                choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
                timings = {"cache_n": 600, "prompt_n": 20, "predicted_n": number}
                self._event({"choices": [choice], "timings": timings})
            finish = chat.finish.pop(0) if chat.finish else "stop"
            if finish:
                self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
                self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, data: dict[str, Any]) -> None:
            self.wfile.write(b"data: " + json.dumps(data).encode() + b"\n\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the library
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    chat.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
