"""A log file that is turned over at a size: `gateway.log`, `gateway.log.1`, … `.N`, oldest last.

Several processes may write to one file, and other programs may turn it over: before each line
it is checked that the file that is open is still the one of that name.
"""

import errno
import fcntl
import os
import stat
from pathlib import Path

_TRIES = 10


class LogFile:
    """Appends lines. `most` is in bytes, 0 for no limit; `kept` old files stay.

    A new file has the mode of the one before it, the first one `mode`. Links are not followed.
    """

    def __init__(self, path: Path, *, most: int, kept: int, mode: int) -> None:
        self._path = path
        self._most = most
        self._kept = kept
        self._mode = mode
        self._descriptor = -1
        self._torn = False

    def write(self, line: str) -> None:
        """Append a line. Raises `OSError`."""
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        descriptor = self._current()
        if self._most and os.fstat(descriptor).st_size + len(data) > self._most:
            self._turn_over(descriptor)
            descriptor = self._current()
        if self._torn:
            # The disk filled up in the middle of the line before.
            data = b"\n" + data
        written = 0
        while written < len(data):
            try:
                written += os.write(descriptor, data[written:])
            except OSError:
                self._torn = self._torn or written > 0
                raise
        self._torn = False

    def limit(self, *, most: int, kept: int) -> None:
        """Change the limits."""
        self._most = most
        self._kept = kept

    def close(self) -> None:
        """Close the file; another `write` opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _current(self) -> int:
        if self._descriptor >= 0 and not self._is_ours():
            self.close()
        if self._descriptor < 0:
            self._descriptor = self._open()
        return self._descriptor

    def _is_ours(self) -> bool:
        try:
            return os.path.samestat(self._path.lstat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        for _ in range(_TRIES):
            try:
                descriptor = os.open(self._path, flags | os.O_CREAT | os.O_EXCL, self._mode)
            except FileExistsError:
                pass
            else:
                os.fchmod(descriptor, self._mode)
                return descriptor
            try:
                descriptor = os.open(self._path, flags)
            except FileNotFoundError:
                continue  # just turned over by another process
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                os.close(descriptor)
                raise OSError(errno.EINVAL, "it is not a plain file", str(self._path))
            self._mode = stat.S_IMODE(about.st_mode)
            return descriptor
        raise OSError(errno.EBUSY, "it comes and goes", str(self._path))

    def _turn_over(self, descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            # Another process may have done it while we waited for the lock.
            if not self._is_ours():
                return
            if self._kept == 0:
                os.ftruncate(descriptor, 0)
                return
            for number in range(self._kept - 1, 0, -1):
                older = self._numbered(number)
                if older.exists():
                    older.replace(self._numbered(number + 1))
            self._path.replace(self._numbered(1))
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
