"""Copies of a database that is in use."""

import os
from pathlib import Path

import apsw

from hermes_agent.store.sqlite.transaction import typed


def copy(source: Path, target: Path) -> None:
    """A consistent copy, mode 0600, complete or absent; others may write meanwhile."""
    partial = target.with_name(target.name + ".part")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        reader = apsw.Connection(os.fspath(source), flags=apsw.SQLITE_OPEN_READONLY)
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
