"""Run inside the machine: a model that begins every answer and ends it when it may.

Arguments: its port, a file that it makes when it is asked, a file that it waits for. The protocol
is that of chat completions, streamed.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT, ASKED, GO = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])


class Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self._say({"role": "assistant", "content": "It took "})
        ASKED.touch()
        while not GO.exists():
            time.sleep(0.02)
        self._say({"content": "a while."})
        self._say({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def _say(self, delta: dict[str, str], reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {"id": "1", "object": "chat.completion.chunk", "model": "none", "choices": [choice]}
        self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        self.wfile.flush()


ThreadingHTTPServer(("127.0.0.1", PORT), Answering).serve_forever()
