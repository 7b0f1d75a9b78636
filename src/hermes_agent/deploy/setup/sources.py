"""Reading the files that the declaration names: secrets, documents, a config.yaml.

These paths are the owner's own choice, so links are followed (secret managers use them). But root
reads them, and some people keep such a file where the agent may write: there a planted link would
have root hand out any file of the machine. So a link counts only if root made it in a place where
root alone could have.
"""

import errno
import os
import stat
from collections import deque

from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.setup.handles import kind_of
from hermes_agent.deploy.setup.way import STEP, guarded

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_MOST_LINKS = 40


def read(path: str, what: str, limit: int) -> bytes:
    """The content of a file; `what` says in errors what it is for. Raises `SetupFailed`."""
    try:
        handle = _opened(path, what)
    except OSError as error:
        raise SetupFailed(
            f"Cannot read {what} {path}: {error.strerror}", hint=_hint(error, path)
        ) from error
    with os.fdopen(handle, "rb") as file:
        try:
            data = file.read(limit + 1) if os.fstat(handle).st_size <= limit else None
        except OSError as error:
            raise SetupFailed(f"Cannot read {what} {path}: {error.strerror}") from error
    if data is None or len(data) > limit:
        raise SetupFailed(
            f"{what[:1].upper()}{what[1:]} {path} is longer than {limit:,} bytes",
            hint="Is it the right file?",
        )
    return data


def _opened(path: str, what: str) -> int:
    # Only where there are rights that the file's author lacks is there anything to guard.
    owners = frozenset((0,)) if os.geteuid() == 0 else None
    parts = deque(path.split("/"))
    links = 0
    safe = True
    handle = os.open("/", STEP)
    try:
        while True:
            part = parts.popleft()
            if part in ("", "."):
                if not parts:
                    raise IsADirectoryError(errno.EISDIR, "it is a directory")
                continue
            safe = safe and (owners is None or guarded(os.fstat(handle), owners))
            about = os.stat(part, dir_fd=handle, follow_symlinks=False)
            if stat.S_ISLNK(about.st_mode):
                links += 1
                if owners is not None and not (safe and about.st_uid in owners):
                    raise SetupFailed(
                        f"{what[:1].upper()}{what[1:]} {path} leads through a symbolic link"
                        " that root did not make",
                        hint="Name the real file, or keep it where root alone may write.",
                    )
                if links > _MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                target = os.readlink(part, dir_fd=handle)
                parts.extendleft(reversed(target.split("/")))
                if target.startswith("/"):
                    os.close(handle)
                    handle = os.open("/", STEP)
                continue
            if not parts:
                return _final(handle, part, about, path, what, safe=safe)
            below = os.open(part, STEP, dir_fd=handle)
            os.close(handle)
            handle = below
    finally:
        os.close(handle)


def _final(
    handle: int, part: str, about: os.stat_result, path: str, what: str, *, safe: bool
) -> int:
    # Opening a device can do something already.
    if not stat.S_ISREG(about.st_mode):
        raise _not_a_file(path, what, about)
    file = os.open(part, _FILE, dir_fd=handle)
    try:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode):
            raise _not_a_file(path, what, about)
        if not safe and about.st_nlink != 1:
            raise SetupFailed(
                f"{what[:1].upper()}{what[1:]} {path} has a second name (hard link)",
                hint="Keep it where root alone may write, or copy it anew.",
            )
    except BaseException:
        os.close(file)
        raise
    return file


def _not_a_file(path: str, what: str, about: os.stat_result) -> SetupFailed:
    return SetupFailed(
        f"{what[:1].upper()}{what[1:]} {path} is {kind_of(about)}, not a file",
        hint="Name a plain file.",
    )


def _hint(error: OSError, path: str) -> str:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return (
            "Was it deployed? With a secrets manager, look whether it ran before this service:"
            f" ls -lL {path}"
        )
    return f"Look at its owner and mode, and at those above it: namei -l {path}"
