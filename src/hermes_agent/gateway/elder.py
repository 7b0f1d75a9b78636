"""A gateway of the older system that still runs on this home.

It knows nothing of our lock and would take the same messages. All that tells of it is its
`gateway.pid`: {pid, kind, argv, start_time in clock ticks since boot}, or a bare number.
"""

import os
from pathlib import Path
from typing import cast

import msgspec

from hermes_agent.gateway.lock import LockUnusable, holder
from hermes_agent.gateway.process import start_ticks
from hermes_agent.gateway.state import PID_NAME

_MOST_BYTES = 2**16


def running_elder(home: Path) -> int | None:
    """Its pid; None where none can be seen. A gateway of ours is none."""
    try:
        if holder(home) is not None:
            return None
    except LockUnusable:
        return None
    pid, began = _told(home / PID_NAME)
    found = start_ticks(pid) if pid > 1 else None
    if found is None or began not in (None, found):
        return None
    # A pid is used again, and what is written down may be old.
    return pid if b"gateway" in _command(pid) else None


def _told(path: Path) -> tuple[int, int | None]:
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags), "rb") as file:
            told: object = msgspec.json.decode(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return 0, None
    fields = cast("dict[str, object]", told) if isinstance(told, dict) else {"pid": told}
    pid, began = fields.get("pid"), fields.get("start_time")
    plausible = isinstance(pid, int) and not isinstance(pid, bool) and 0 < pid < 2**31
    return (cast("int", pid) if plausible else 0), (began if isinstance(began, int) else None)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
