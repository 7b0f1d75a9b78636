"""Saving what can be read of a damaged file into a new one.

Row by row from both ends of each table, then by single ids in between: a damaged page costs
the rows on it and nothing else. The indexes are made anew.
"""

import os
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from hermes_agent.domain.errors import StoreError
from hermes_agent.store.records import Recovery
from hermes_agent.store.sqlite.connection import in_words
from hermes_agent.store.sqlite.queries import load
from hermes_agent.store.sqlite.store import SqliteStore
from hermes_agent.store.sqlite.transaction import Row, Transaction, typed

_TABLES = (
    *("sessions", "messages", "message_details", "tool_runs", "routes"),
    *("inbox", "outbox", "ledger_facts", "ledger_counts", "jobs", "jobs_taken_over"),
)
_SIDE_FILES = ("", "-wal", "-shm")
_MOST_SINGLE_IDS = 1_000_000
# Where the end of a table cannot be found, so many ids without a row are taken for it.
_LONGEST_GAP = 10_000


def problems(path: Path) -> tuple[str, ...]:
    """What a check of the whole file finds, in the engine's words; empty when it is whole."""
    try:
        with _reading(path) as db:
            found = [str(row[0]) for row in db.execute("PRAGMA integrity_check(20)")]
    except (apsw.CorruptError, apsw.NotADBError) as error:
        return (str(error),)
    except apsw.Error as error:
        with in_words(path):
            raise error
    return tuple(line for line in found if line != "ok")


def recover(path: Path) -> Recovery:
    """Put a new file with all readable rows in the place of the damaged one, which is kept.

    No other process may have it open. Raises `StoreError`; the damaged file is then where it
    was.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    kept = path.with_name(f"{path.name}.damaged-{stamp}")
    fresh = path.with_name(f"{path.name}.recovered-{stamp}")
    with in_words(path):
        SqliteStore.open(fresh).close()
        try:
            _salvage(path, fresh)
            found = _count(fresh)
        except BaseException:
            for end in _SIDE_FILES:
                fresh.with_name(fresh.name + end).unlink(missing_ok=True)
            raise
    try:
        for end in _SIDE_FILES:
            with suppress(FileNotFoundError):
                path.with_name(path.name + end).rename(kept.with_name(kept.name + end))
        fresh.rename(path)
    except OSError as error:
        raise StoreError(
            f"{path} could not be replaced: {error.strerror}.",
            hint=f"What could be read is in {fresh}.",
        ) from error
    return Recovery(kept=str(kept), sessions=found[0], messages=found[1])


def _salvage(damaged: Path, fresh: Path) -> None:
    connection = apsw.Connection(os.fspath(fresh), flags=apsw.SQLITE_OPEN_READWRITE)
    into = typed(connection)
    try:
        # References are checked at the end: a session may be among what was lost.
        into.execute("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE")
        # Damage of the header leaves nothing to read; the new file is then an empty one.
        with suppress(apsw.CorruptError, apsw.NotADBError), _reading(damaged) as source:
            for table in _TABLES:
                with suppress(apsw.CorruptError, apsw.SQLError):
                    _copy_rows(source, into, table)
        for statement in load("recovery").values():
            into.execute(statement)
        into.execute("COMMIT")
    finally:
        connection.close(True)


def _copy_rows(source: Transaction, into: Transaction, table: str) -> None:
    ours = [row[1] for row in into.execute(f"PRAGMA table_info({table})")]
    theirs = {row[1] for row in source.execute(f"PRAGMA table_info({table})")}
    shared = [column for column in ours if column in theirs]
    if not shared:
        return
    columns, marks = ", ".join(shared), ", ".join("?" for _ in shared)
    insert = f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608  our own names
    values = ", ".join(
        f"CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB) ELSE {column} END"
        for column in shared
    )
    kind = into.execute("SELECT wr FROM pragma_table_list WHERE name = ?", (table,)).get
    readable = _readable_from_both_ends if kind else _readable_rows
    for stored in readable(source, table, values):
        row = [v.decode(errors="replace") if isinstance(v, bytes) else v for v in stored]
        # A row whose bytes were damaged may break a rule of the table; it is lost alone.
        with suppress(apsw.ConstraintError):
            into.execute(insert, row)


def _readable_rows(source: Transaction, table: str, values: str) -> Iterator[Row]:
    """Values as they are stored, texts as bytes: damage may have left them no UTF-8."""
    first = last = None
    select = f"SELECT rowid, {values} FROM {table}"  # noqa: S608  our own names
    try:
        for row in source.execute(f"{select} ORDER BY rowid"):
            first = row[0]
            yield row[1:]
    except apsw.CorruptError:
        pass
    else:
        return
    with suppress(apsw.CorruptError):
        for row in source.execute(f"{select} ORDER BY rowid DESC"):
            if first is not None and row[0] <= first:
                return
            last = row[0]
            yield row[1:]
    low = 1 if first is None else first + 1
    high = low + _MOST_SINGLE_IDS if last is None else last
    misses = 0
    for rowid in range(low, min(high, low + _MOST_SINGLE_IDS)):
        misses += 1
        with suppress(apsw.CorruptError):
            row = source.execute(f"{select} WHERE rowid = ?", (rowid,)).fetchone()
            if row:
                misses = 0
                yield row[1:]
        if last is None and misses > _LONGEST_GAP:
            return


def _readable_from_both_ends(source: Transaction, table: str, values: str) -> Iterator[Row]:
    """The same for a table without row ids. Its key is the first column; rows may come twice."""
    for order in ("ASC", "DESC"):
        try:
            yield from source.execute(f"SELECT {values} FROM {table} ORDER BY 1 {order}")  # noqa: S608  our own names
        except apsw.CorruptError:
            continue
        return


@contextmanager
def _reading(path: Path) -> Generator[Transaction]:
    """The damaged file, nothing in it changed by closing it."""
    connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.config(apsw.SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1)
        yield typed(connection)
    finally:
        connection.close(True)


def _count(path: Path) -> tuple[int, int]:
    store = SqliteStore.open(path)
    try:
        stats = store.stats()
        return stats.sessions, stats.messages
    finally:
        store.close()
