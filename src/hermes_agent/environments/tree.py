"""Ending a command with everything it started."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

MARKER = "HERMES_RUN_ID"

_PATIENCE = 0.1
_STEP = 0.01
_SWEEPS = 5


async def end(pid: int, run: str) -> None:
    """Kill the session that `pid` leads and all that carries the mark `run`.

    SIGTERM first, SIGKILL to what is left after 100 ms. Caught are the process group, whatever
    else is in the session, and on Linux the children that left it, by their parents and by the
    variable HERMES_RUN_ID that they inherited. Out of reach: a process of another user, and one
    that left the session, lost its parent and wiped its environment. Only a PID namespace
    (bubblewrap) holds those.
    """
    strays: set[int] = set()
    try:
        strays = family(pid, run)
        if _signal_group(pid, signal.SIGTERM):
            for _ in range(int(_PATIENCE / _STEP)):
                await asyncio.sleep(_STEP)
                if not _signal_group(pid, 0):
                    break
    finally:
        # also when a second cancellation cuts the patience short
        for _ in range(_SWEEPS):
            _signal_group(pid, signal.SIGKILL)
            strays |= family(pid, run)
            if not strays:
                break
            for stray in strays:
                _signal(stray, signal.SIGKILL)
            strays = set()


def family(pid: int, run: str) -> set[int]:
    """The living processes of the session, their descendants, and all that carry the mark."""
    found: set[int] = set()
    parents: dict[int, int] = {}
    mark = f"{MARKER}={run}".encode()
    try:
        numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names, not paths: this runs over every process
    except OSError:
        return found
    for number in numbers:
        try:
            # proc(5): the name in parentheses may hold anything; state, ppid, pgrp, session follow
            fields = Path(f"/proc/{number}/stat").read_bytes().rpartition(b")")[2].split()
            if fields[0] in b"ZX":
                continue
            parents[number] = int(fields[1])
            if int(fields[3]) == pid or mark in Path(f"/proc/{number}/environ").read_bytes().split(
                b"\0"
            ):
                found.add(number)
        except OSError:
            continue
    found.add(pid)
    while young := {n for n, parent in parents.items() if parent in found} - found:
        found |= young
    return found - {pid, os.getpid(), 1}


def _signal_group(pid: int, number: int) -> bool:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
