"""Run inside the machine: a model that does what it is told, and tells what came of it.

Arguments: its port, a file to which it writes each request's Authorization. A message that holds
`CALL:` and base64 of a tool's name and arguments makes it call that; any other it repeats. The
protocol is that of chat completions, streamed.
"""

import base64
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PORT, SEEN = int(sys.argv[1]), Path(sys.argv[2])
CALL = re.compile(r"CALL:([A-Za-z0-9+/=]+)")


def text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or ())


class Obeying(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with SEEN.open("a") as file:
            file.write(f"{self.headers['Authorization']}\n")
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        last = asked["messages"][-1]
        said = text(last.get("content"))
        found = CALL.search(said)
        if last["role"] == "user" and found:
            name, arguments = json.loads(base64.b64decode(found[1]))
            function = {"name": name, "arguments": json.dumps(arguments)}
            call = {"index": 0, "id": "call_1", "type": "function", "function": function}
            self._say({"role": "assistant", "tool_calls": [call]})
            self._say({}, "tool_calls")
        else:
            self._say({"role": "assistant", "content": said})
            self._say({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def _say(self, delta: dict[str, Any], reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {"id": "1", "object": "chat.completion.chunk", "model": "none", "choices": [choice]}
        self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        self.wfile.flush()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """The journal is looked through for secrets."""


ThreadingHTTPServer(("127.0.0.1", PORT), Obeying).serve_forever()
