"""One process at a time works on a session: a kernel lock on a file named after it.

The kernel lets go of the lock when its process ends, however it ends.
"""

import fcntl
import os
from pathlib import Path

from hermes_agent.domain.errors import HermesError


class SessionInUse(HermesError):
    """Another process is working on this session."""


class SessionLocks:
    """The locks that this process holds, as files in `folder`. The same one may be taken twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, tuple[int, int]] = {}

    def take(self, session_id: str) -> None:
        """Hold the session until `release`. Raises `SessionInUse`.

        Where no lock can be had (a disk that is full or read-only, a file system without locks)
        nothing is held: the store says what cannot be done there.
        """
        descriptor, count = self._held.get(session_id, (-1, 0))
        if not count:
            try:
                descriptor = self._lock(self._path(session_id))
            except BlockingIOError:
                raise self._refusal(session_id) from None
            except OSError:
                return
        self._held[session_id] = (descriptor, count + 1)

    def release(self, session_id: str) -> None:
        """Undo one `take`."""
        descriptor, count = self._held.pop(session_id, (-1, 0))
        if count > 1:
            self._held[session_id] = (descriptor, count - 1)
        elif count:
            self._path(session_id).unlink(missing_ok=True)
            os.close(descriptor)

    def _path(self, session_id: str) -> Path:
        return self._folder / f"{session_id.replace('/', '_')}.lock"

    @staticmethod
    def _lock(path: Path) -> int:
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Who held it may have removed the file between the two calls.
                if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                    os.ftruncate(descriptor, 0)
                    os.write(descriptor, str(os.getpid()).encode())
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _refusal(self, session_id: str) -> SessionInUse:
        try:
            pid = self._path(session_id).read_text()
        except OSError:
            pid = ""
        return SessionInUse(
            f"Session {session_id} is in use by another process"
            + (f" (pid {pid})." if pid.isdigit() else "."),
            hint="Wait until it is done, or begin a new session: hermes -q without -c and -r.",
        )
