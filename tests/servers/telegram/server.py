"""The HTTP side of the fake: a thread a connection, long polls, downloads, webhooks, faults."""

import contextlib
import http.client
import json
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import unquote, urlsplit

from tests.servers.http1 import Connection, HungUp, Incoming
from tests.servers.telegram.forms import Upload, parameters
from tests.servers.telegram.methods import Methods
from tests.servers.telegram.world import ApiError, Json, World

TOKEN = "4242:AAfake-token_of-the_test-bot-0123456789"
JSON = {"content-type": "application/json"}
CONFLICT = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is "
    "running"
)
HOOKED = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete "
    "the webhook first"
)

Misdeed = Callable[[Connection], None]


class Call(NamedTuple):
    """What was asked."""

    method: str
    given: Json


class BotApi:
    """The Bot API of one bot, for the length of a `with` block; see `World` for what happens there.

    `misbehave` makes the next calls of a method go wrong. `stop` and `start` may alternate: the
    address and the world stay.
    """

    def __init__(self, *, token: str = TOKEN, port: int = 0, world: World | None = None) -> None:
        self.token = token
        self.world = world or World()
        self.calls: list[Call] = []
        self.polls = 0
        self._methods = Methods(self.world)
        self._misdeeds: dict[str, deque[Misdeed]] = {}
        self._poller: object | None = None
        self._open: dict[threading.Thread, Connection] = {}
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._running = False
        self.port = port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """What stands before `/bot<token>`."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self.port = self._listener.getsockname()[1]
        self._running = True
        self._threads = [
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True),
            threading.Thread(target=self._call_webhook, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Break every connection and listen no more."""
        with self.world.changed:
            self._running = False
            self._poller = None
            connections = dict(self._open)
            self.world.changed.notify_all()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
        for connection in connections.values():
            connection.shut_down()
        for thread in (*self._threads, *connections):
            thread.join(timeout=5)
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def misbehave(self, method: str, *misdeeds: Misdeed) -> None:
        """What to do instead at the next calls of a method (or of `file`, a download)."""
        with self.world.changed:
            self._misdeeds.setdefault(method.lower(), deque()).extend(misdeeds)

    def called(self, method: str) -> list[Json]:
        """What a method was asked so far."""
        with self.world.changed:
            return [each.given for each in self.calls if each.method.lower() == method.lower()]

    # Connections

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            connection = Connection(sock)
            with self.world.changed:
                if not self._running:
                    connection.close()
                    return
                thread = threading.Thread(target=self._serve, args=(connection, sock), daemon=True)
                self._open[thread] = connection
            thread.start()

    def _serve(self, connection: Connection, sock: socket.socket) -> None:
        try:
            while connection.keep_alive and (incoming := connection.read()) is not None:
                with contextlib.suppress(OSError):
                    self._answer(connection, sock, incoming)
        finally:
            connection.close()
            with self.world.changed:
                self._open.pop(threading.current_thread(), None)

    def _answer(self, connection: Connection, sock: socket.socket, incoming: Incoming) -> None:
        path = unquote(urlsplit(incoming.path).path)
        try:
            if path.startswith("/file/bot"):
                self._download(connection, path.removeprefix("/file/bot"))
                return
            token, _, method = path.removeprefix("/bot").partition("/")
            if token != self.token:
                raise ApiError(401, "Unauthorized")
            try:
                given = parameters(incoming)
            except ValueError:
                raise ApiError(400, "Bad Request: can't parse request") from None
            with self.world.changed:
                self.calls.append(Call(method, given))
                self.world.changed.notify_all()
                misdeed = self._next_misdeed(method)
            if misdeed is not None:
                misdeed(connection)
                return
            if method.lower() == "getupdates":
                result = self._updates(sock, given)
            else:
                with self.world.changed:
                    result = self._methods.find(method)(given)
        except ApiError as error:
            _refuse(connection, error)
            return
        _say(connection, {"ok": True, "result": result})

    def _next_misdeed(self, method: str) -> Misdeed | None:
        waiting = self._misdeeds.get(method.lower())
        return waiting.popleft() if waiting else None

    def _download(self, connection: Connection, path: str) -> None:
        token, _, wanted = path.partition("/")
        with self.world.changed:
            misdeed = self._next_misdeed("file")
        if misdeed is not None:
            misdeed(connection)
            return
        data = next((data for name, data in self.world.files.values() if name == wanted), None)
        if token != self.token or data is None:
            raise ApiError(404, "Not Found")
        connection.respond(200, {"content-type": "application/octet-stream"}, data)

    # Updates

    def _updates(self, sock: socket.socket, given: Json) -> list[Json]:
        world = self.world
        deadline = time.monotonic() + min(float(given.get("timeout", 0)), 50)
        limit = int(given.get("limit", 100))
        mine = object()
        with world.changed:
            self.polls += 1
            if world.webhook is not None:
                raise ApiError(409, HOOKED)
            if "allowed_updates" in given:
                world.allowed = given["allowed_updates"]
            offset = int(given.get("offset", 0))
            while offset > 0 and world.queue and world.queue[0].get("update_id", 0) < offset:
                world.queue.popleft()
            while offset < 0 and len(world.queue) > -offset:
                world.queue.popleft()
            self._poller = mine
            world.changed.notify_all()
            while not world.queue:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                world.changed.wait(min(left, 0.05))
                if not self._running or _gone(sock):
                    raise HungUp
                if self._poller is not mine:
                    raise ApiError(409, CONFLICT)
            if self._poller is mine:
                self._poller = None
            return list(world.queue)[: max(1, min(limit, 100))]

    def _call_webhook(self) -> None:
        """Post what is queued to the webhook, one after another, until each is taken."""
        world = self.world
        while True:
            with world.changed:
                world.changed.wait_for(
                    lambda: not self._running or (world.webhook is not None and world.queue), 0.05
                )
                if not self._running:
                    return
                if world.webhook is None or not world.queue:
                    continue
                hook, update = world.webhook, world.queue[0]
            taken = _post(hook, update)
            with world.changed:
                if taken and world.queue and world.queue[0] is update:
                    world.queue.popleft()
                elif not taken:
                    world.changed.wait(0.05)


def _post(hook: Json, update: Json) -> bool:
    url = urlsplit(str(hook["url"]))
    assert url.hostname is not None
    headers = dict(JSON)
    if hook.get("secret_token"):
        headers["X-Telegram-Bot-Api-Secret-Token"] = hook["secret_token"]
    calling = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    try:
        calling.request("POST", url.path or "/", json.dumps(update).encode(), headers)
        return 200 <= calling.getresponse().status < 300
    except OSError:
        return False
    finally:
        calling.close()


def _gone(sock: socket.socket) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    try:
        return bool(poll.poll(0)) and not sock.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


def _say(connection: Connection, answer: Any, status: int = 200) -> None:
    connection.respond(status, JSON, json.dumps(answer, default=_hidden).encode())


def _hidden(value: object) -> str:
    assert isinstance(value, Upload)
    return value.name


def _refuse(connection: Connection, error: ApiError) -> None:
    answer: Json = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        answer["parameters"] = error.parameters
    _say(connection, answer, error.code)


def refusal(code: int, description: str, **parameters: Any) -> Misdeed:
    """An answer that is not ok."""
    return lambda connection: _refuse(connection, ApiError(code, description, **parameters))


def too_many(seconds: int) -> Misdeed:
    """The flood limit."""
    return refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def body(data: bytes, status: int = 200, media_type: str = "application/json") -> Misdeed:
    """Any body at all."""
    return lambda connection: connection.respond(status, {"content-type": media_type}, data)


def hang_up(connection: Connection) -> None:
    """Close without an answer."""
    connection.reset()


def truncated(data: bytes, promised: int) -> Misdeed:
    """Less than was promised, then the end."""

    def deed(connection: Connection) -> None:
        connection.start({"content-type": "application/octet-stream"}, length=promised)
        connection.raw(data)
        connection.close()
        connection.keep_alive = False

    return deed
