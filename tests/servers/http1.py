"""The bare minimum of HTTP/1.1, raw enough to misbehave: one connection, request by request."""

import contextlib
import select
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from threading import Event
from typing import NamedTuple

POLL = 0.05


class HungUp(ConnectionError):
    """The client closed its end."""


class Incoming(NamedTuple):
    """A request off the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Connection:
    """A client's connection. Writing to a closed one raises `OSError`."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._buffer = bytearray()
        self.keep_alive = True

    def read(self) -> Incoming | None:
        """The next request; None when the client is gone."""
        try:
            head = bytes(self._until(b"\r\n\r\n"))
            first, *lines = head[:-4].decode("latin-1").split("\r\n")
            method, path, version = first.split(" ", 2)
            pairs = (line.partition(":") for line in lines)
            headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
            if headers.get("expect", "").lower() == "100-continue":
                self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = self._body(headers)
        except (OSError, ValueError):
            return None
        wish = headers.get("connection", "").lower()
        self.keep_alive = "close" not in wish and (version != "HTTP/1.0" or "keep-alive" in wish)
        return Incoming(method, path, headers, body)

    def respond(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """A whole answer with its length."""
        head = self._head(status, {**headers, "content-length": str(len(body))})
        self._sock.sendall(head + body)

    def start(self, headers: Mapping[str, str], *, length: int | None = None) -> None:
        """The head of a 200: chunked, or promising `length` bytes."""
        size = (
            {"transfer-encoding": "chunked"} if length is None else {"content-length": str(length)}
        )
        self._sock.sendall(self._head(200, {**headers, **size}))

    def chunks(self, pieces: Iterable[bytes], *, last: bool) -> None:
        """One HTTP chunk a piece, in as few packets as possible; `last` ends the body."""
        data = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        self._sock.sendall(data + b"0\r\n\r\n" if last else data)

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self._sock.sendall(data)

    def wait(self, seconds: float | None, event: Event | None = None) -> None:
        """Until the time is over or the event is set (both None: for ever). Raises `HungUp`."""
        deadline = None if seconds is None else time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        while not (event is not None and event.is_set()):
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return
            slices = [each for each in (left, POLL if event is not None else None) if each]
            if not poll.poll(min(slices) * 1000 if slices else None):
                continue
            if not self._sock.recv(1, socket.MSG_PEEK):
                raise HungUp
            (event or Event()).wait(POLL)

    def reset(self) -> None:
        """Close with RST, dropping what was not yet sent."""
        linger = struct.pack("ii", 1, 0)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._sock.close()
        self.keep_alive = False

    def shut_down(self) -> None:
        """End both directions; a thread that reads or waits here wakes up."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """FIN."""
        self.shut_down()
        self._sock.close()

    def _until(self, mark: bytes) -> bytearray:
        searched = 0
        while (place := self._buffer.find(mark, searched)) < 0:
            searched = max(len(self._buffer) - len(mark), 0)
            self._more()
        return self._take(place + len(mark))

    def _exactly(self, size: int) -> bytearray:
        while len(self._buffer) < size:
            self._more()
        return self._take(size)

    def _more(self) -> None:
        data = self._sock.recv(262144)
        if not data:
            raise HungUp
        self._buffer += data

    def _take(self, size: int) -> bytearray:
        taken = self._buffer[:size]
        del self._buffer[:size]
        return taken

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return bytes(self._exactly(int(headers.get("content-length", "0"))))
        body = bytearray()
        while size := int(bytes(self._until(b"\r\n")).partition(b";")[0], 16):
            body += self._exactly(size)
            self._until(b"\r\n")
        while bytes(self._until(b"\r\n")) != b"\r\n":
            pass
        return bytes(body)

    def _head(self, status: int, headers: Mapping[str, str]) -> bytes:
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = "Overloaded"
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        ending = "" if self.keep_alive else "connection: close\r\n"
        return f"HTTP/1.1 {status} {phrase}\r\n{fields}{ending}\r\n".encode("latin-1")
