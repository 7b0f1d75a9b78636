"""The scripted model server: says what a test tells it to, in the dialect it is asked in.

Loopback only, a thread a connection. As a program of its own:
`python -m tests.servers.model --script FILE.json`; see `standalone.py`.
"""

import contextlib
import itertools
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Self

from tests.servers.dialects.frame import encode
from tests.servers.http1 import Connection, Incoming
from tests.servers.listing import models, tags
from tests.servers.misbehaviour import misbehave
from tests.servers.playing import JSON, play
from tests.servers.recorded import MODEL_DIALECTS, Dialect, Recorded
from tests.servers.script import Fault, Reply

Said = Reply | Fault | Callable[[Recorded], Reply | Fault]
RAN_OUT = Fault.http(500, "The script of the scripted model server ran out.")


class ModelServer:
    """A model server on 127.0.0.1 for the length of a `with` block.

    Every model request takes the first rule that fits (`when`), else the next of the queue
    (`say`), else what `always` gave, else a 500 that says the script ran out. `models` is what
    the lists of models hold; `ollama` False hides `/api/tags`; `pages` maps further paths to
    JSON values (or text) for GET. `requests` has everything that was asked, `model_requests`
    only the calls of a model. `connections` counts accepted connections, `port` is where.
    """

    def __init__(
        self, *, port: int = 0, on_request: Callable[[Recorded], None] | None = None
    ) -> None:
        self.models = ["scripted-model"]
        self.ollama = True
        self.pages: dict[str, Any] = {}
        self.connections = 0
        self._on_request = on_request
        self._queue: deque[Said] = deque()
        self._rules: list[tuple[Callable[[Recorded], bool], Said]] = []
        self._fallback: Said = RAN_OUT
        self._requests: list[Recorded] = []
        self._changed = threading.Condition()
        self._serials = itertools.count(1)
        self._open: dict[threading.Thread, Connection] = {}
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="model-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def root_url(self) -> str:
        """`http://127.0.0.1:PORT`, as the Anthropic and Gemini clients want it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT/v1`, as OpenAI clients want it."""
        return f"{self.root_url}/v1"

    def say(self, *said: Said) -> None:
        """Append to the queue."""
        with self._changed:
            self._queue.extend(said)

    def when(self, fits: Callable[[Recorded], bool], said: Said) -> None:
        """A rule for model requests, as often as it fits; asked in order, before the queue."""
        with self._changed:
            self._rules.append((fits, said))

    def always(self, said: Said) -> None:
        """What to say when the queue is empty."""
        with self._changed:
            self._fallback = said

    @property
    def left(self) -> int:
        """How much of the queue was not yet said."""
        with self._changed:
            return len(self._queue)

    @property
    def requests(self) -> list[Recorded]:
        """Everything that was asked so far."""
        with self._changed:
            return list(self._requests)

    @property
    def model_requests(self) -> list[Recorded]:
        """The calls of a model so far."""
        return [each for each in self.requests if each.dialect in MODEL_DIALECTS]

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> list[Recorded]:
        """The requests, once there are `count` of any kind. Raises `TimeoutError`."""
        return self._wait(lambda: self._requests, count, timeout)

    def wait_for_model_requests(self, count: int, timeout: float = 10.0) -> list[Recorded]:
        """The calls of a model, once there are `count`. Raises `TimeoutError`."""
        return self._wait(
            lambda: [each for each in self._requests if each.dialect in MODEL_DIALECTS],
            count,
            timeout,
        )

    def close(self) -> None:
        """End every connection and thread; may be called twice."""
        with self._changed:
            self._closing = True
            threads = dict(self._open)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join()
        self._listener.close()
        for connection in threads.values():
            connection.shut_down()
        for thread in threads:
            thread.join(timeout=5)

    def _wait(
        self, seen: Callable[[], list[Recorded]], count: int, timeout: float
    ) -> list[Recorded]:
        with self._changed:
            if not self._changed.wait_for(lambda: len(seen()) >= count, timeout):
                raise TimeoutError(f"{len(seen())} of {count} requests came in {timeout} s")
            return list(seen())

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            connection = Connection(sock)
            with self._changed:
                if self._closing:
                    connection.close()
                    return
                self.connections += 1
                number = self.connections
                thread = threading.Thread(
                    target=self._serve, args=(connection, number), daemon=True
                )
                self._open[thread] = connection
            thread.start()

    def _serve(self, connection: Connection, number: int) -> None:
        try:
            while connection.keep_alive and (incoming := connection.read()) is not None:
                request = self._record(incoming, number)
                with _finishing(request):
                    self._answer(connection, request)
        finally:
            connection.close()
            with self._changed:
                self._open.pop(threading.current_thread(), None)

    def _record(self, incoming: Incoming, number: int) -> Recorded:
        request = Recorded(
            path=incoming.path,
            method=incoming.method,
            headers=incoming.headers,
            body=incoming.body,
            dialect=self._dialect(incoming),
            received_at=time.time(),
            connection=number,
        )
        if self._on_request is not None:
            self._on_request(request)
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
        return request

    def _dialect(self, incoming: Incoming) -> Dialect:
        path = incoming.path.partition("?")[0].rstrip("/") or "/"
        if incoming.method == "POST":
            if path.endswith("/chat/completions"):
                return "chat"
            if path.endswith("/responses"):
                return "responses"
            if path.endswith("/messages"):
                return "anthropic"
            if path.endswith((":generateContent", ":streamGenerateContent")):
                return "gemini"
            return "other"
        if path in self.pages:
            return "page"
        if path.endswith("/models"):
            return "models"
        return "tags" if path == "/api/tags" and self.ollama else "other"

    def _answer(self, connection: Connection, request: Recorded) -> None:
        serial = next(self._serials)
        if request.dialect in MODEL_DIALECTS:
            said = self._next(request)
            if isinstance(said, Fault):
                misbehave(connection, request, said, serial)
            else:
                play(connection, request, said, serial)
        elif request.dialect == "models":
            _json(connection, models(request.path, request.headers, self.models))
        elif request.dialect == "tags":
            _json(connection, tags(self.models))
        elif request.dialect == "page":
            _json(connection, self.pages[request.path.partition("?")[0].rstrip("/") or "/"])
        else:
            misbehave(connection, request, Fault.http(404, f"No such path: {request.path}"), serial)

    def _next(self, request: Recorded) -> Reply | Fault:
        with self._changed:
            rules = list(self._rules)
        said = next((said for fits, said in rules if fits(request)), None)
        if said is None:
            with self._changed:
                said = self._queue.popleft() if self._queue else self._fallback
        return said if isinstance(said, Reply | Fault) else said(request)


@contextlib.contextmanager
def _finishing(request: Recorded) -> Generator[None]:
    try:
        yield
    except OSError:
        request.hung_up.set()
    finally:
        request.done.set()


def _json(connection: Connection, value: Any) -> None:
    """A page: JSON, or text."""
    if isinstance(value, str):
        connection.respond(200, {"content-type": "text/plain"}, value.encode())
    else:
        connection.respond(200, JSON, encode(value).encode())


@contextlib.contextmanager
def closed_port() -> Generator[int]:
    """A port on 127.0.0.1 that refuses connections; nobody else gets it meanwhile."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


if __name__ == "__main__":
    from tests.servers.standalone import main

    main()
