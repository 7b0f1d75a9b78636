"""Files of this machine, touched through directory handles."""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Generator

from hermes_agent.domain.execution import FileInfo

_DIRECTORY = os.O_DIRECTORY | os.O_RDONLY | os.O_CLOEXEC
_CHUNK = 1 << 20


def _as_it_is(path: str) -> tuple[str, str]:
    real = os.path.realpath(path)
    return real, real


class HostFiles:
    """`Files` on this machine. The calls do not wait for anything but the disk.

    `resolve` frees an absolute path, as commands see it, of links, and says where that is on this
    machine; it raises `OSError` for what is not to be seen. The last step of each operation goes
    through a handle of the directory and refuses links, so that a link planted in between leads
    nowhere.
    """

    def __init__(self, cwd: str, resolve: Callable[[str], tuple[str, str]] = _as_it_is) -> None:
        self._cwd = cwd
        self._resolve = resolve

    async def stat(self, path: str) -> FileInfo | None:
        """See `Files.stat`."""
        seen, real = self._resolve(self._named(path))
        try:
            there = os.stat(real)  # noqa: PTH116 - no Path is needed, this runs before every command
        except (FileNotFoundError, NotADirectoryError):
            return None
        mode = there.st_mode
        kind = "file" if stat.S_ISREG(mode) else "directory" if stat.S_ISDIR(mode) else "other"
        return FileInfo(path=seen, kind=kind, size=there.st_size, mtime=there.st_mtime)

    async def read(self, path: str, *, limit: int) -> bytes:
        """See `Files.read`. A pipe or a device is refused, not waited for."""
        folder, name = os.path.split(self._real(path))
        with _opened(folder, _DIRECTORY) as directory:
            # without O_NONBLOCK, opening a pipe waits for its writer
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
            with _opened(name or ".", flags, directory) as file:
                mode = os.fstat(file).st_mode
                if stat.S_ISDIR(mode):
                    raise IsADirectoryError(f"{path} is a directory")
                if not stat.S_ISREG(mode):
                    raise OSError(f"{path} is not a regular file")
                pieces: list[bytes] = []
                while limit > 0 and (piece := os.read(file, min(limit, _CHUNK))):
                    pieces.append(piece)
                    limit -= len(piece)
                return b"".join(pieces)

    async def write(self, path: str, data: bytes) -> None:
        """See `Files.write`. A link is written through, to the file it names."""
        real = self._real(path)
        folder, name = os.path.split(real)
        if not name:
            raise IsADirectoryError(f"{path} is a directory")
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - as above
        with _opened(folder, _DIRECTORY) as directory:
            _replace(directory, name, data)

    async def remove(self, path: str) -> None:
        """See `Files.remove`. Of a link, the link itself."""
        folder, name = os.path.split(self._named(path))
        with _opened(self._resolve(folder)[1], _DIRECTORY) as directory:
            os.unlink(name, dir_fd=directory)

    async def list(self, path: str) -> list[str]:
        """See `Files.list`."""
        with _opened(self._real(path), _DIRECTORY) as directory:
            return sorted(os.listdir(directory))  # noqa: PTH208 - of a handle

    def _real(self, path: str) -> str:
        return self._resolve(self._named(path))[1]

    def _named(self, path: str) -> str:
        return os.path.join(self._cwd, os.path.expanduser(path))  # noqa: PTH118, PTH111 - text, not files


@contextlib.contextmanager
def _opened(path: str, flags: int, directory: int | None = None) -> Generator[int]:
    descriptor = os.open(path, flags, dir_fd=directory)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _replace(directory: int, name: str, data: bytes) -> None:
    """Write beside the file and rename over it; mode and owner are the old file's."""
    old = None
    with contextlib.suppress(FileNotFoundError):
        old = os.stat(name, dir_fd=directory, follow_symlinks=False)
    if old is not None and stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(f"{name} is a directory")
    if old is not None and not stat.S_ISREG(old.st_mode):
        raise OSError(f"{name} is not a regular file")
    fresh = f".{name[:100]}.{os.urandom(6).hex()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(fresh, flags, 0o666, dir_fd=directory)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file, rest) :]
            if old is not None:
                _keep(file, old)
            os.fsync(file)
        finally:
            os.close(file)
        os.rename(fresh, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh, dir_fd=directory)
        raise


def _keep(file: int, old: os.stat_result) -> None:
    made = os.fstat(file)
    if (made.st_uid, made.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.fchown(file, old.st_uid, old.st_gid)
        except OSError as error:
            # EINVAL: in a user namespace of its own a service knows only its own number.
            if error.errno not in (errno.EPERM, errno.EINVAL):
                raise
    os.fchmod(file, stat.S_IMODE(old.st_mode))
