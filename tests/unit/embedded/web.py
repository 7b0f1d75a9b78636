"""A web server on loopback that serves bytes, with ranges, and misbehaves as told."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Web:
    """`files` by path. `drops` cuts the next answers of a path after so many bytes."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.pages: dict[str, bytes] = {}
        self.drops: dict[str, list[int]] = {}
        self.ranges = True
        self.url = ""
        self.seen: list[tuple[str, str | None]] = []
        self.hold_at: int | None = None
        self.holding = threading.Event()
        self.release = threading.Event()

    def asked(self, path: str) -> list[str | None]:
        """The Range headers of the requests for a path."""
        return [found for asked, found in self.seen if asked == path]


@contextmanager
def serving() -> Generator[Web, None, None]:
    """A running `Web`."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            web.seen.append((self.path, wanted))
            self.close_connection = True
            if self.path in web.pages:
                self._send(200, web.pages[self.path], {"Content-Type": "text/html"})
            elif self.path not in web.files:
                self._send(404, b"gone", {})
            else:
                self._file(web.files[self.path], wanted)

        def _file(self, data: bytes, wanted: str | None) -> None:
            begin = 0
            headers = {"Content-Type": "application/octet-stream"}
            if wanted and web.ranges:
                begin = int(wanted.removeprefix("bytes=").split("-")[0])
                headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
            self._send(206 if begin else 200, data[begin:], headers)

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            if status == 200:
                headers.pop("Content-Range", None)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            drops = web.drops.get(self.path, [])
            if drops:
                body = body[: drops.pop(0)]
            if web.hold_at is not None and len(body) > web.hold_at:
                self.wfile.write(body[: web.hold_at])
                self.wfile.flush()
                web.holding.set()
                web.release.wait(30)
                return
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the library
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        web.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
