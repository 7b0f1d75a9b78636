"""What running a command or touching a file in an environment gives."""

from typing import Literal

import msgspec


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """A finished command. `output` is stdout and stderr as they came, bounded.

    `exit_code` is 124 after a time-out, 130 after an interrupt, and -N when killed by signal N
    otherwise. `omitted` counts the bytes cut from the middle of `output`.
    """

    exit_code: int
    output: str
    omitted: int = 0
    timed_out: bool = False
    duration: float = 0.0


class ProcessInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A background process. `id` is ours (`proc_…`), `pid` the system's."""

    id: str
    command: str
    pid: int
    cwd: str
    started_at: float
    exit_code: int | None = None


class FileInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A path as it resolves; `size` in bytes, `mtime` Unix time in seconds."""

    path: str
    kind: Literal["file", "directory", "other"]
    size: int
    mtime: float
