"""Files and directories below the handle of a directory that is not to be trusted.

Nothing here follows a link, waits on a pipe or opens a device; what stands in the way of a file is
replaced or moved aside.
"""

import errno
import os
import secrets
import stat
from types import TracebackType
from typing import Self

from hermes_agent.deploy.setup.errors import InTheWay, SetupFailed
from hermes_agent.deploy.setup.way import LAST

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ASIDE = 9
"""So many things are moved aside before somebody has to look at them."""

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a directory",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFREG: "a file",
}


class Unreadable(SetupFailed):
    """There is something, and it cannot be read as a file."""


class Folder:
    """An open directory; `path` names it in messages. Closes its handle when it is left."""

    def __init__(self, handle: int, path: str) -> None:
        self.handle = handle
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        os.close(self.handle)

    def named(self, name: str) -> str:
        """The path of something in it."""
        return f"{self.path}/{name}"

    def about(self, name: str) -> os.stat_result | None:
        """What stands under that name, None if nothing does."""
        try:
            return os.stat(name, dir_fd=self.handle, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("look at", name, error) from error

    def folder(self, name: str) -> "Folder":
        """A directory in it. Raises `FileNotFoundError`, `InTheWay`."""
        try:
            return Folder(os.open(name, LAST, dir_fd=self.handle), self.named(name))
        except FileNotFoundError:
            raise
        except OSError as error:
            about = self.about(name)
            if about is not None and not stat.S_ISDIR(about.st_mode):
                raise InTheWay(
                    f"{self.named(name)} is {kind_of(about)}, but a directory belongs there",
                    hint=f"Look at it and move it away: ls -ld {self.named(name)}",
                ) from error
            raise self._failed("open", name, error) from error

    def made(self, name: str, mode: int, gid: int | None = None) -> "Folder":
        """A directory in it, made if it is missing; mode and group are mended if it is ours."""
        try:
            os.mkdir(name, 0o700, dir_fd=self.handle)
        except FileExistsError:
            pass
        except OSError as error:
            raise self._failed("make", name, error) from error
        try:
            folder = self.folder(name)
        except FileNotFoundError as error:
            raise self._failed("open", name, error) from error
        try:
            folder.tidy(mode, gid)
        except BaseException:
            os.close(folder.handle)
            raise
        return folder

    def tidy(self, mode: int, gid: int | None = None) -> bool:
        """Give the directory itself this mode and group; False if it is not ours."""
        try:
            return _tidied(self.handle, mode, gid)
        except OSError as error:
            raise SetupFailed(
                f"Cannot set the mode of {self.path}: {error.strerror}",
                hint=_hint(error, self.path),
            ) from error

    def read(self, name: str, limit: int) -> bytes | None:
        """A file's content, None if there is none. Raises `Unreadable`."""
        about = self.about(name)
        if about is None:
            return None
        if not stat.S_ISREG(about.st_mode):
            raise Unreadable(f"it is {kind_of(about)}")
        try:
            handle = os.open(name, _READ, dir_fd=self.handle)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unreadable(error.strerror or "it cannot be opened") from error
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                raise Unreadable(f"it is {kind_of(about)}")
            if about.st_size > limit:
                raise Unreadable(f"it is longer than {limit:,} bytes")
            try:
                data = file.read(limit + 1)
            except OSError as error:
                raise Unreadable(error.strerror or "it cannot be read") from error
        if len(data) > limit:
            raise Unreadable(f"it is longer than {limit:,} bytes")
        return data

    def replace(self, name: str, data: bytes, mode: int, gid: int | None = None) -> bool:
        """Give a file this content and mode, at once; False if it was so already.

        Whatever else stands there goes; a directory is moved aside.
        """
        try:
            same = self.read(name, len(data)) == data
        except Unreadable:
            same = False
        if same and self._settled(name, mode, gid):
            return False
        fresh = f".hermes-{secrets.token_hex(6)}.tmp"
        try:
            self._write(fresh, data, mode, gid)
            try:
                self._put(fresh, name)
            except BaseException:
                os.unlink(fresh, dir_fd=self.handle)
                raise
        except OSError as error:
            raise self._failed("write", name, error) from error
        return True

    def link(self, name: str, target: str) -> bool:
        """Make a symbolic link, at once; False if it was there already."""
        try:
            if os.readlink(name, dir_fd=self.handle) == target:
                return False
        except OSError:
            pass
        fresh = f".hermes-{secrets.token_hex(6)}.tmp"
        try:
            os.symlink(target, fresh, dir_fd=self.handle)
            try:
                self._put(fresh, name)
            except BaseException:
                os.unlink(fresh, dir_fd=self.handle)
                raise
        except OSError as error:
            raise self._failed("write", name, error) from error
        return True

    def aside(self, name: str, word: str) -> str:
        """Move something out of the way; returns its new name, `NAME.WORD-1` to `-9`."""
        for number in range(1, _ASIDE + 1):
            new = f"{name}.{word}-{number}"
            if self.about(new) is not None:
                continue
            try:
                os.rename(name, new, src_dir_fd=self.handle, dst_dir_fd=self.handle)
            except OSError as error:
                raise self._failed("move away", name, error) from error
            return new
        raise SetupFailed(
            f"{self.named(name)} is in the way, and there are {_ASIDE} older copies beside it",
            hint=f"Look at them and remove them: ls -ld {self.named(name)}.{word}-*",
        )

    def remove(self, name: str) -> None:
        """Remove a file."""
        try:
            os.unlink(name, dir_fd=self.handle)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._failed("remove", name, error) from error

    def _settled(self, name: str, mode: int, gid: int | None) -> bool:
        try:
            handle = os.open(name, _READ, dir_fd=self.handle)
        except OSError:
            return False
        try:
            about = os.fstat(handle)
            # A second name would let somebody change it from a place that we do not know.
            return (
                stat.S_ISREG(about.st_mode) and about.st_nlink == 1 and _tidied(handle, mode, gid)
            )
        except OSError:
            return False
        finally:
            os.close(handle)

    def _write(self, name: str, data: bytes, mode: int, gid: int | None) -> None:
        handle = os.open(name, _NEW, 0o600, dir_fd=self.handle)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                _tidied(handle, mode, gid)
                os.fsync(handle)
        except BaseException:
            os.unlink(name, dir_fd=self.handle)
            raise

    def _put(self, fresh: str, name: str) -> None:
        try:
            os.rename(fresh, name, src_dir_fd=self.handle, dst_dir_fd=self.handle)
        except OSError as error:
            if error.errno not in (errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST):
                raise
            self.aside(name, "displaced")
            os.rename(fresh, name, src_dir_fd=self.handle, dst_dir_fd=self.handle)
        os.fsync(self.handle)

    def _failed(self, doing: str, name: str, error: OSError) -> SetupFailed:
        path = self.named(name)
        return SetupFailed(f"Cannot {doing} {path}: {error.strerror}", hint=_hint(error, path))


def kind_of(about: os.stat_result) -> str:
    """What it is, in words."""
    return _KINDS.get(stat.S_IFMT(about.st_mode), "something odd")


def _tidied(handle: int, mode: int, gid: int | None) -> bool:
    about = os.fstat(handle)
    if about.st_uid != os.geteuid():
        return False
    if gid is not None and about.st_gid != gid:
        os.fchown(handle, -1, gid)
        about = os.fstat(handle)
    if stat.S_IMODE(about.st_mode) != mode:
        os.fchmod(handle, mode)
    return True


def _hint(error: OSError, path: str) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Make room on the disk; what was there before is unchanged."
    if error.errno == errno.EPERM:
        return f"Look whether it is immutable: lsattr -d {path}"
    if error.errno == errno.EACCES:
        return f"Look at its owner and mode, and at those above it: namei -l {path}"
    if error.errno == errno.EROFS:
        return f"Its disk is mounted for reading only: findmnt -T {path}"
    return "Nothing else was changed there."
