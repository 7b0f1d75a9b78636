"""What the server and its clients know of each other: a lock, a state file, a log.

The lock says whether a server lives (the kernel drops it with the process, however that
ends); the state file only says where it is, and is believed only while the lock is held by
the very process that the file names.
"""

import fcntl
import os
import subprocess
from pathlib import Path
from typing import TypeVar

import msgspec


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds the lock; `started` tells that process from a later one with the same `pid`."""

    pid: int
    started: str


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A running server, as it describes itself: process, URL, API key, GGUF, window in tokens."""

    pid: int
    started: str
    url: str
    key: str
    model: str
    context: int


Known = TypeVar("Known", Holder, Address)


class Meeting(msgspec.Struct, frozen=True):
    """The files of one server folder."""

    folder: Path

    @property
    def lock(self) -> Path:
        """Held (flock) by the server as long as it lives; holds its `Holder` as JSON."""
        return self.folder / "server.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the client that is starting a server."""
        return self.folder / "start.lock"

    @property
    def state(self) -> Path:
        """The server's `Address` as JSON, mode 0600."""
        return self.folder / "server.json"

    @property
    def used(self) -> Path:
        """Its modification time says when a client last wanted the server."""
        return self.folder / "used"

    @property
    def log(self) -> Path:
        """What the inference library prints."""
        return self.folder / "server.log"

    def alive(self) -> bool:
        """Whether a server holds the lock, ready or not."""
        try:
            descriptor = os.open(self.lock, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def holder(self) -> Holder | None:
        """The living server's process, ready or not."""
        return self._living(self.lock, Holder)

    def address(self) -> Address | None:
        """The ready server's address; None while there is none or it still loads."""
        return self._living(self.state, Address)

    def _living(self, path: Path, kind: type[Known]) -> Known | None:
        if not self.alive():
            return None
        try:
            found = msgspec.json.decode(path.read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError):
            return None
        return found if started(found.pid) == found.started else None


def started(pid: int) -> str:
    """When a process began, in words of the system's own; empty when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    except OSError:
        return ""
    else:
        # proc(5): the command in parentheses may hold blanks; field 22 counts from its end.
        state, *fields = stat.rpartition(")")[2].split()
        return "" if state in "ZX" else fields[18]
    listed = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip()
