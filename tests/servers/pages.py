"""A web server on loopback with pages of a test's own."""

import http.server
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]
Page = bytes | tuple[int, dict[str, str], bytes] | Answer


class Pages(dict[str, Page]):
    """By path: a body, a status with headers and a body, or what answers itself. `asked` are the
    paths that were asked for; `url` is the server's address without a slash."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.url = ""


@contextmanager
def serving() -> Generator[Pages]:
    """Pages that can be changed while they are served."""
    pages = Pages()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages.asked.append(self.path)
            page = pages.get(self.path, (404, {}, b"not here"))
            if callable(page):
                page(self)
                return
            status, headers, body = page if isinstance(page, tuple) else (200, {}, page)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its base has it
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pages.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
