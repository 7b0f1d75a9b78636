"""A chat platform outside the process that is killed: it keeps what people saw.

HTTP on loopback: `GET /updates?offset=N` waits for updates from N on and forgets those before
(as Telegram's getUpdates does), `POST /send` takes a message and gives its id, `POST /edit`
replaces one. With `honours_keys` a second send with the same key gives the first one's id.
`on` is told of each instant that a life may end at, before anything further happens.
"""

import json
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

WAIT = 0.5


@dataclass
class Seen:
    """A message as people see it now."""

    chat: str
    key: str
    text: str
    edits: int = 0


class CrashPlatform:
    """Runs for the length of a `with` block."""

    def __init__(self, *, honours_keys: bool) -> None:
        self.honours_keys = honours_keys
        self.seen: list[Seen] = []
        self.sends = 0
        self.on: Callable[[str], None] = lambda _: None
        self._updates: list[dict[str, Any]] = []
        self._confirmed = 0
        self._by_key: dict[str, int] = {}
        self._changed = threading.Condition()
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                self._answer(platform.updates(int(query["offset"][0])))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                act = platform.send if self.path == "/send" else platform.edit
                self._answer(act(body))

            def _answer(self, value: object) -> None:
                data = json.dumps(value).encode()
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  as there

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that was killed in the middle is what this is about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def say(self, chat: str, text: str) -> None:
        """Somebody writes."""
        with self._changed:
            number = len(self._updates) + 1
            self._updates.append({"id": number, "chat": chat, "text": text})
            self._changed.notify_all()

    def updates(self, offset: int) -> list[dict[str, Any]]:
        self.on("poll")
        with self._changed:
            self._confirmed = max(self._confirmed, offset)
            self._changed.wait_for(lambda: len(self._updates) >= self._confirmed, WAIT)
            return self._updates[max(0, self._confirmed - 1) :]

    def send(self, body: dict[str, str]) -> dict[str, str]:
        self.on("send arrives")
        with self._changed:
            self.sends += 1
            known = self._by_key.get(body["key"])
            if known is None or not self.honours_keys:
                self.seen.append(Seen(body["chat"], body["key"], body["text"]))
                known = self._by_key[body["key"]] = len(self.seen)
            self._changed.notify_all()
        self.on("send taken")
        return {"id": str(known)}

    def edit(self, body: dict[str, str]) -> dict[str, str]:
        self.on("edit arrives")
        with self._changed:
            seen = self.seen[int(body["id"]) - 1]
            seen.text = body["text"]
            seen.edits += 1
            self._changed.notify_all()
        self.on("edit taken")
        return {"id": body["id"]}

    def until(self, wanted: set[str], limit: float) -> bool:
        """Wait until all these texts are shown; whether they came in time."""
        with self._changed:
            return self._changed.wait_for(
                lambda: wanted <= {seen.text for seen in self.seen}, limit
            )
