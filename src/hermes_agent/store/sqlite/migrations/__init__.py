"""Bringing a database to the shape that this version expects, once, under a lock, after a copy.

How far a database came stands in `store_migrations`. The documented `schema_version` is left
to say which documented shape it has: tools in the field compare it with their own number.
"""

import re
import time
from pathlib import Path

import apsw

from hermes_agent.domain.errors import NewerStoreError, StoreError

DOCUMENTED_VERSION = 5
_FOLDER = Path(__file__).parent


def newest() -> int:
    """The number of the last migration that this version knows."""
    return max(_files())


def applied(connection: apsw.Connection) -> int:
    """The number of the last migration of this database; 0 for a new or foreign one.

    Raises `NewerStoreError`.
    """
    done = 0
    if _has_table(connection, "store_migrations"):
        done = int(connection.execute("SELECT max(number) FROM store_migrations").get or 0)
    documented = 0
    if _has_table(connection, "schema_version"):
        documented = int(connection.execute("SELECT max(version) FROM schema_version").get or 0)
    if done > newest() or documented > DOCUMENTED_VERSION:
        raise NewerStoreError(
            f"{connection.filename} was written by a newer version (schema "
            f"{max(done, documented)}) and is left untouched.",
            hint="Update hermes-agent, or set HERMES_HOME to another folder.",
        )
    return done


def migrate(connection: apsw.Connection, path: Path) -> None:
    """Apply what is missing, all or nothing. Other processes wait for it or find it done."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = applied(connection)
        if done < newest():
            if _has_table(connection, "sessions"):
                _copy(path, done)
            if done == 0:
                _adopt(connection)
            for number, file in sorted(_files().items()):
                if number > done:
                    connection.execute(file.read_text(encoding="utf-8"))
                    connection.execute(
                        "INSERT INTO store_migrations (number, name, applied_at) VALUES (?, ?, ?)",
                        (number, file.stem, time.time()),
                    )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _files() -> dict[int, Path]:
    return {int(file.name[:4]): file for file in _FOLDER.glob("[0-9][0-9][0-9][0-9]_*.sql")}


def _has_table(connection: apsw.Connection, name: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)
    )
    return found.get is not None


def _copy(path: Path, done: int) -> None:
    """A copy beside the database, as it was: a second connection sees no open transaction."""
    from hermes_agent.store.sqlite.connection import copy

    stamp = time.strftime("%Y%m%d-%H%M%S")
    copy(path, path.with_name(f"{path.name}.before-{newest():04d}-from-{done:04d}-{stamp}"))


def _adopt(connection: apsw.Connection) -> None:
    """Prepare a database that is new, or that another program of this ecosystem made.

    Its word index is made anew with our triggers: two sets would index each message twice.
    Documented columns that an older one lacks are added.
    """
    connection.execute(
        "CREATE TABLE store_migrations (number INTEGER PRIMARY KEY, name TEXT, applied_at REAL)"
    )
    if not _has_table(connection, "messages"):
        return
    triggers = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'messages'"
        " AND sql LIKE '%messages_fts%'"
    ).fetchall()
    for (name,) in triggers:
        quoted = str(name).replace('"', '""')
        connection.execute(f'DROP TRIGGER "{quoted}"')
    connection.execute("DROP TABLE IF EXISTS messages_fts")
    ours = (_FOLDER / "0001_documented_tables.sql").read_text(encoding="utf-8")
    for table in ("sessions", "messages"):
        body = re.search(rf"CREATE TABLE IF NOT EXISTS {table} \((.*?)\n\);", ours, re.DOTALL)
        assert body is not None
        there = {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}
        for line in body[1].strip().split("\n"):
            column = line.strip().rstrip(",")
            name = column.split()[0]
            if name in there:
                continue
            if "NOT NULL" in column or "PRIMARY KEY" in column:
                raise StoreError(
                    f"{connection.filename} is no session database: {table} has no {name}.",
                    hint="Move the file away, or set HERMES_HOME to another folder.",
                )
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
