"""Copies of a database that is in use."""

import os
import shutil
from pathlib import Path
from urllib.parse import quote

import apsw

from hermes_agent.domain.errors import StoreError
from hermes_agent.store.sqlite.transaction import typed

PARTIAL = ".part"
"""The end of the name of a copy that is not whole."""


def copy(source: Path, target: Path, *, leave_no_trace: bool = False) -> None:
    """A consistent copy, mode 0600, complete or absent; others may write meanwhile.

    To read a file that nobody has open makes side files, which stay; `leave_no_trace` reads it
    without them.
    """
    partial = target.with_name(target.name + PARTIAL)
    partial.unlink(missing_ok=True)
    opened = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _give(opened, source.stat())
    finally:
        os.close(opened)
    try:
        log = source.with_name(source.name + "-wal")
        alone = leave_no_trace and not log.exists()
        uri = f"file:{quote(os.fspath(source))}{'?immutable=1' if alone else ''}"
        reader = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
        writer = apsw.Connection(os.fspath(partial), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            with writer.backup("main", reader, "main") as backup:
                backup.step(-1)
            # A copy is one file, without a log beside it.
            typed(writer).execute("PRAGMA journal_mode = DELETE")
        finally:
            writer.close(True)
            reader.close(True)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def require_room(source: Path, copies: int) -> None:
    """Raises `StoreError` where beside the file there is no room for so many copies of it."""
    size = sum(
        side.stat().st_size
        for side in (source, source.with_name(source.name + "-wal"))
        if side.exists()
    )
    free = shutil.disk_usage(source.parent).free
    if free < copies * size:
        raise StoreError(
            f"To bring {source} up to date takes {copies * size / 1e6:.0f} MB of room beside it, "
            f"and {free / 1e6:.0f} MB are free. It is left untouched.",
            hint="Free some space and try again.",
        )


def _give(opened: int, owner: os.stat_result) -> None:
    """Whoever has the file must be able to put its copy back, also if root made it."""
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(opened, owner.st_uid, owner.st_gid)
