"""SOUL.md: who the agent is, in the words of the person it belongs to."""

import errno
import os
import stat
from pathlib import Path

from hermes_agent.domain.errors import HermesError
from hermes_agent.policy.injection import suspicion

NAME = "SOUL.md"
MOST_BYTES = 256 * 1024
"""A text of this length fills half of a small model's window."""


def persona(soul_file: Path, workspace: Path | None = None) -> str | None:
    """The text of `soul_file`; where there is none, that of SOUL.md in `workspace`; else None.

    The agent may write in its workspace. So the file there must be a plain one, which is not read
    through links, and a text that looks like an attack counts as none. Raises `HermesError` for a
    `soul_file` that is there and cannot be used.
    """
    try:
        return _read(soul_file, os.O_RDONLY)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise HermesError(
            f"{soul_file} cannot be read: {error.strerror}.",
            hint="It says who the agent is; make it readable or remove it.",
        ) from error
    if workspace is None:
        return None
    try:
        text = _read(workspace / NAME, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    return None if suspicion(text) else text


def _read(path: Path, flags: int) -> str:
    fd = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        with os.fdopen(os.dup(fd), "rb") as file:
            data = file.read(MOST_BYTES + 1)
    finally:
        os.close(fd)
    if len(data) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it is longer than {MOST_BYTES:,} bytes")
    return data.decode("utf-8", "replace")
