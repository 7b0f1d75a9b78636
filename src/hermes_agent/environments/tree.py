"""Ending a command with everything it started."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Collection
from pathlib import Path

MARKER = "HERMES_RUN_ID"

_PATIENCE = 0.1
_STEP = 0.01
_BREATH = 0.002
_SWEEPS = 8


async def end(pid: int, run: str) -> None:
    """Kill the session that `pid` leads and all that carries the mark `run`.

    SIGTERM first, SIGKILL to what is left after 100 ms. Caught are the process group, whatever
    else is in the session, and on Linux the children that left it, by their parents and by the
    variable HERMES_RUN_ID that they inherited. Out of reach: a process of another user, and one
    that left the session, lost its parent and wiped its environment. Only a PID namespace
    (bubblewrap) holds those.
    """
    strays = family(pid, run)
    try:
        if _signal_group(pid, signal.SIGTERM):
            for _ in range(int(_PATIENCE / _STEP)):
                await asyncio.sleep(_STEP)
                if not _signal_group(pid, 0):
                    break
    finally:
        # also when a second cancellation cuts the patience short
        await _sweep(pid, run, strays)


async def _sweep(pid: int, run: str, strays: set[int]) -> None:
    quiet = 0
    for _ in range(_SWEEPS):
        _signal_group(pid, signal.SIGKILL)
        found = family(pid, run, strays)
        for stray in found:
            _signal(stray, signal.SIGKILL)
        # a process between fork and exec has no readable variables: one look is not enough
        quiet = 0 if found else quiet + 1
        if quiet > 1:
            break
        await asyncio.sleep(_BREATH)


def family(pid: int, run: str, known: Collection[int] = ()) -> set[int]:
    """The living ones of the session, of those that carry the mark and of the `known`, with
    their descendants; `pid` itself is left out."""
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
            if number in known or int(fields[3]) == pid or mark in _variables(number):
                found.add(number)
        except OSError:
            continue
    found.add(pid)
    while young := {n for n, parent in parents.items() if parent in found} - found:
        found |= young
    return found - {pid, os.getpid(), 1}


def _variables(number: int) -> list[bytes]:
    return Path(f"/proc/{number}/environ").read_bytes().split(b"\0")


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
