"""One process at a time works on a session: a kernel lock on the session's own byte of one file.

The byte follows from the session's id; nothing is written there, the file stays empty. The kernel
lets go of the lock when its process ends, however it ends. These are open file description locks
(https://man7.org/linux/man-pages/man2/F_OFD_SETLK.2const.html): unlike the older kind they part
two holders inside one process too. A file for each session would cost a one-shot turn more than
its two messages do.
"""

import fcntl
import os
import struct
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from hermes_agent.domain.errors import HermesError

FILE = "locks"

# struct flock: type, whence, start, length, pid
_FLOCK = struct.Struct("@hhqqi")
_LAST_BYTE = 2**62


class SessionInUse(HermesError):
    """Another process is working on this session."""


class SessionLocks:
    """The locks that this process holds, in a file in `folder`. The same one may be taken twice."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._file: int | None = None
        self._held: dict[str, int] = {}

    def take(self, session_id: str) -> None:
        """Hold the session until `release`. Raises `SessionInUse`.

        Where no lock can be had (a disk that is full or read-only, a file system without locks)
        nothing is held: the store says what cannot be done there.
        """
        count = self._held.get(session_id, 0)
        if not count:
            try:
                _set(self._opened(), fcntl.F_WRLCK, _byte(session_id))
            except BlockingIOError:
                self._close_if_idle()
                raise self._refusal(session_id) from None
            except OSError:
                self._close_if_idle()
                return
        self._held[session_id] = count + 1

    def release(self, session_id: str) -> None:
        """Undo one `take`."""
        count = self._held.pop(session_id, 0)
        if count > 1:
            self._held[session_id] = count - 1
        elif count and self._file is not None:
            _set(self._file, fcntl.F_UNLCK, _byte(session_id))
            self._close_if_idle()

    def _opened(self) -> int:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        return self._file

    def _close_if_idle(self) -> None:
        # A file that somebody removed meanwhile is made again by the next `take`.
        if self._file is not None and not self._held:
            os.close(self._file)
            self._file = None

    def _refusal(self, session_id: str) -> SessionInUse:
        pid = _holder(self._path, _byte(session_id))
        return SessionInUse(
            f"Session {session_id} is in use by another process"
            + (f" (pid {pid})." if pid else "."),
            hint="Wait until it is done, or begin a new session: hermes -q without -c and -r.",
        )


def _byte(session_id: str) -> int:
    digest = blake2b(session_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % _LAST_BYTE


def _set(descriptor: int, kind: int, byte: int) -> None:
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, byte, 1, 0))


def _holder(path: Path, byte: int) -> str | None:
    """The pid of who holds the byte, as far as /proc may be looked at (proc_pid_fdinfo(5))."""
    name, there = os.path.realpath(path), f" {byte} {byte}\n"
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            for link in (process / "fd").iterdir():
                with suppress(OSError):
                    same = os.readlink(link) == name  # noqa: PTH115 - a Path for each is slow
                    if same and there in (process / "fdinfo" / link.name).read_text():
                        return process.name
    return None
