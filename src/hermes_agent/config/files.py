"""Writing files so that a crash or a full disk leaves the old file whole."""

import errno
import os
import secrets
import stat
from pathlib import Path

from hermes_agent.domain.errors import HermesError


class NotWritten(HermesError):
    """A file could not be written; what was there before is untouched."""


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace a file at once, fsynced.

    An existing file keeps its owner, group and mode; a new one gets exactly `mode`, and the group
    of its folder where that is setgid. A symbolic link is followed only if the caller made it.
    Raises `NotWritten`.
    """
    try:
        target = _target(path)
        _replace(target, data, mode)
    except OSError as error:
        raise NotWritten(
            f"Cannot write {path}: {error.strerror or error}",
            hint="The old file is unchanged." if path.exists() else None,
        ) from error


def _target(path: Path) -> Path:
    try:
        about = path.lstat()
    except FileNotFoundError:
        return path
    if not stat.S_ISLNK(about.st_mode):
        return path
    if about.st_uid != os.geteuid():
        raise PermissionError(1, "it is a symbolic link made by someone else")
    return Path(os.path.realpath(path))


def _replace(path: Path, data: bytes, mode: int) -> None:
    try:
        before = path.stat()
    except FileNotFoundError:
        before = None
    if before is not None and not stat.S_ISREG(before.st_mode):
        raise OSError(0, "it is not a regular file")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(fd, mode if before is None else _inherit(fd, before))
            os.fsync(fd)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _inherit(fd: int, before: os.stat_result) -> int:
    """Give the new file the old one's owner and group; returns the mode that it may have."""
    mode = stat.S_IMODE(before.st_mode)
    mine = os.fstat(fd)
    if mine.st_gid != before.st_gid and not _given(fd, gid=before.st_gid):
        # The group's rights were meant for another group than the one it has now.
        mode &= ~0o070
    if mine.st_uid != before.st_uid and not _given(fd, uid=before.st_uid):
        mode &= ~(stat.S_ISUID | stat.S_ISGID)
    return mode


def _given(fd: int, *, uid: int = -1, gid: int = -1) -> bool:
    """Whether it could be given away."""
    try:
        os.fchown(fd, uid, gid)
    except OSError as error:
        # EINVAL: in a user namespace of its own a service knows only its own number.
        if error.errno not in (errno.EPERM, errno.EINVAL):
            raise
        return False
    return True


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
