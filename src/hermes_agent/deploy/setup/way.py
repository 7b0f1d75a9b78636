"""Reaching a directory so that nobody could have put another one in its place meanwhile.

Each component is opened below the handle of the one before, links are refused, and a directory on
the way must belong to root and be writable by root alone (or be sticky, as /tmp is).
"""

import errno
import os
import stat
from pathlib import Path

import msgspec

from hermes_agent.deploy.setup.errors import SetupFailed, UnsafeWay

STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LAST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Make(msgspec.Struct, frozen=True):
    """How the last component is made if it is missing; what is missing above it is 0755."""

    mode: int
    uid: int | None = None
    gid: int | None = None


def enter(path: str, *, owners: frozenset[int] | None, make: Make | None = None) -> int:
    """A handle of the directory.

    Directories on the way must belong to one of `owners`; None does not ask. Raises `UnsafeWay`,
    `SetupFailed`, and `FileNotFoundError` if it is missing and not to be made.
    """
    parts = path.strip("/").split("/")
    handle = os.open("/", STEP)
    try:
        for index, part in enumerate(parts):
            here = "/" + "/".join(parts[: index + 1])
            if owners is not None:
                _refuse_loose(handle, os.path.dirname(here) or "/", path, owners)  # noqa: PTH120
            last = index == len(parts) - 1
            below = _step(handle, part, here, path, last=last, make=make)
            os.close(handle)
            handle = below
    except BaseException:
        os.close(handle)
        raise
    return handle


def real(path: str) -> str:
    """The path without links, for a person's own account, where every way is their own."""
    return os.path.realpath(path)


def guarded(about: os.stat_result, owners: frozenset[int]) -> bool:
    """Whether what these owners have in the directory stays what it is."""
    loose = about.st_mode & 0o022 and not about.st_mode & stat.S_ISVTX
    return about.st_uid in owners and not loose


def _refuse_loose(handle: int, here: str, path: str, owners: frozenset[int]) -> None:
    about = os.fstat(handle)
    if guarded(about, owners):
        return
    if about.st_uid not in owners:
        why = f"belongs to uid {about.st_uid}"
        then = f"chown root {here}"
    else:
        why = f"may be written by others (mode {stat.S_IMODE(about.st_mode):04o})"
        then = f"chmod go-w {here}"
    raise UnsafeWay(
        f"{path} cannot be trusted: {here} {why}, so another directory could take its place",
        hint=f"Choose a place below directories of root, or run: {then}",
    )


def _step(handle: int, part: str, here: str, path: str, *, last: bool, make: Make | None) -> int:
    flags = LAST if last else STEP
    try:
        return os.open(part, flags, dir_fd=handle)
    except FileNotFoundError:
        if make is None:
            raise
        return _made(handle, part, here, make if last else Make(0o755))
    except OSError as error:
        raise _explained(error, handle, part, here, path) from error


def _made(handle: int, part: str, here: str, make: Make) -> int:
    try:
        os.mkdir(part, 0o700, dir_fd=handle)
        below = os.open(part, LAST, dir_fd=handle)
    except OSError as error:
        raise SetupFailed(
            f"Cannot make the directory {here}: {error.strerror}",
            hint="Its disk is mounted for reading only. With an immutable /etc, provide an empty"
            " writable directory there (NixOS: system.etc.overlay.mutable)."
            if error.errno == errno.EROFS
            else f"Look at the directories above it: namei -l {here}",
        ) from error
    try:
        if make.uid is not None or make.gid is not None:
            os.fchown(
                below, -1 if make.uid is None else make.uid, -1 if make.gid is None else make.gid
            )
        os.fchmod(below, make.mode)
    except BaseException:
        os.close(below)
        raise
    return below


def _explained(error: OSError, handle: int, part: str, here: str, path: str) -> SetupFailed:
    try:
        about = os.stat(part, dir_fd=handle, follow_symlinks=False)
    except OSError:
        return SetupFailed(f"Cannot open the directory {here}: {error.strerror}")
    if stat.S_ISLNK(about.st_mode):
        return UnsafeWay(
            f"{path} leads through the symbolic link {here}",
            hint=f"Name the real place: {Path(os.path.realpath(path))}",
        )
    if not stat.S_ISDIR(about.st_mode):
        return SetupFailed(f"{here} is not a directory", hint="Move it away.")
    return SetupFailed(f"Cannot open the directory {here}: {error.strerror}")
