"""What the agent tells the service manager, passed on by the runner: sd_notify(3).

The agent is not trusted to speak for a service of root's: of what it says only how it is gets
through, and no process, no descriptor, no variable, no longer time; and no more often than a
service has reason to. Who says more than that waits, for its words stay in the socket, which is
full soon.
"""

import contextlib
import os
import socket
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

STATUS_BYTES = 500
MOST_AT_ONCE = 40
PER_SECOND = 10.0
"""Messages, in the long run."""
_MOST = 65536
_AS_THEY_ARE = ("READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1")


class Manager:
    """The way to the service manager; mute where there is none."""

    def __init__(self, address: str) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def tell(self, *lines: str) -> None:
        """Send these; failing to tell harms nobody."""
        if not self._address or not lines:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.settimeout(0.5)
            out.sendto("\n".join(lines).encode("utf-8", "replace"), self._address)

    def status(self, text: str) -> None:
        """A sentence for `systemctl status`."""
        self.tell(f"STATUS={plain(text)}")


class Ear:
    """The socket that the agent sees. Closes it and takes it away when it is left."""

    def __init__(
        self, path: Path, uid: int, gid: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._clock = clock
        self._left = float(MOST_AT_ONCE)
        self._then = clock()
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.setblocking(False)
        before = os.umask(0o177)
        try:
            self.socket.bind(str(path))
        finally:
            os.umask(before)
        os.chown(path, uid, gid)
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)

    def heard(self) -> Iterator[list[str]]:
        """The lines of each message that has come and may pass; none while it rests."""
        while not self.rest:
            try:
                data = self.socket.recv(_MOST)
            except (BlockingIOError, InterruptedError):
                return
            self._left -= 1
            yield passing(data.decode("utf-8", "replace").split("\n"))

    @property
    def rest(self) -> float:
        """Seconds until it listens again: whoever waits for the socket must not until then."""
        now = self._clock()
        self._left = min(MOST_AT_ONCE, self._left + (now - self._then) * PER_SECOND)
        self._then = now
        return max(0.0, (1 - self._left) / PER_SECOND)

    def close(self) -> None:
        """Hear no more."""
        self.socket.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


def passing(lines: Iterable[str]) -> list[str]:
    """Those that may be told to the service manager, as they may; the last of each kind."""
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition("=")
        if line in _AS_THEY_ARE:
            found[name] = line
        elif name == "STATUS":
            found[name] = f"STATUS={plain(value)}"
        elif name == "MONOTONIC_USEC" and value.isascii() and value.isdigit() and len(value) < 20:
            found[name] = line
    return list(found.values())


def plain(text: str) -> str:
    """One line that a terminal can show."""
    flat = "".join(sign if sign.isprintable() else " " for sign in text)
    return flat.encode("utf-8", "replace")[:STATUS_BYTES].decode("utf-8", "ignore")
