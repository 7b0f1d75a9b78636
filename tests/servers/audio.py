"""A loopback server of OpenAI's audio endpoints: it hears what it is told, and speaks Ogg.

https://platform.openai.com/docs/api-reference/audio
"""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

SOUND = b"OggS" + bytes(60) + b"OpusHead"


@dataclass
class AudioServer:
    """`heard` is the transcript of any file, `refuse` a status instead of an answer."""

    heard: str = "turn the lights off"
    refuse: int = 0
    key: str = "audio-key-123456789"
    asked: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])

    def __enter__(self) -> Self:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.asked.append((self.path, body))
                if self.headers["Authorization"] != f"Bearer {server.key}":
                    self._answer(401, b"{}", "application/json")
                elif server.refuse:
                    self._answer(server.refuse, b"{}", "application/json")
                elif self.path == "/v1/audio/transcriptions":
                    text = json.dumps({"text": server.heard}).encode()
                    self._answer(200, text, "application/json")
                else:
                    self._answer(200, SOUND, "audio/ogg")

            def _answer(self, status: int, data: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
