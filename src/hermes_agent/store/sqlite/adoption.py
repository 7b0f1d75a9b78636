"""Taking over a database that another program of this ecosystem made."""

import re
from pathlib import Path

from hermes_agent.domain.errors import StoreError
from hermes_agent.store.sqlite import migrations
from hermes_agent.store.sqlite.mending import mend_messages, mend_sessions
from hermes_agent.store.sqlite.transaction import Transaction


def adopt(db: Transaction, path: Path) -> None:
    """Prepare a database without migrations of ours, a new one included.

    Its word index goes, to be made anew with our triggers: two sets would index each message
    twice. Documented columns that an older one lacks are added; tables of a later one that are
    called like ours are renamed, its columns stay. Values that no column was meant to hold are
    mended. Raises `StoreError`.
    """
    _make_room(db)
    db.execute(
        "CREATE TABLE store_migrations (number INTEGER PRIMARY KEY, name TEXT, applied_at REAL)"
    )
    triggers = db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'messages'"
        " AND sql LIKE '%messages_fts%'"
    ).fetchall()
    for (name,) in triggers:
        db.execute(f"DROP TRIGGER {_quoted(name)}")
    db.execute("DROP TABLE IF EXISTS messages_fts")
    for table in ("sessions", "messages"):
        if migrations.has_table(db, table):
            _add_missing_columns(db, path, table)
            _refuse_what_cannot_be_filled(db, path, table)
    if migrations.has_table(db, "sessions"):
        mend_sessions(db)
    if migrations.has_table(db, "messages"):
        mend_messages(db)


def _make_room(db: Transaction) -> None:
    for name in migrations.own_tables():
        if migrations.has_table(db, name):
            db.execute(f"ALTER TABLE {_quoted(name)} RENAME TO {_quoted(f'{name}_before')}")
    for name in migrations.own_indexes():
        db.execute(f"DROP INDEX IF EXISTS {_quoted(name)}")


def _refuse_what_cannot_be_filled(db: Transaction, path: Path, table: str) -> None:
    known = {name for name, _ in _documented_columns(table)}
    for row in db.execute(f"PRAGMA table_info({table})").fetchall():
        if row[1] not in known and row[3] and row[4] is None:
            raise StoreError(
                f"{path} is of a version that is not known here: every row of {table} must have "
                f"a {row[1]}. It is left untouched.",
                hint="Update hermes-agent, or set HERMES_HOME to another folder.",
            )


def _add_missing_columns(db: Transaction, path: Path, table: str) -> None:
    there = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
    for name, definition in _documented_columns(table):
        if name in there:
            continue
        if "NOT NULL" in definition or "PRIMARY KEY" in definition:
            raise StoreError(
                f"{path} is no session database: its table {table} has no column {name}.",
                hint="Move the file away, or set HERMES_HOME to another folder.",
            )
        db.execute(f"ALTER TABLE {table} ADD COLUMN {definition}")


def _documented_columns(table: str) -> list[tuple[str, str]]:
    """Names and definitions, from the statement that makes the table."""
    body = re.search(
        rf"CREATE TABLE IF NOT EXISTS {table} \(\n(.*?)\n\);",
        migrations.documented_tables(),
        re.DOTALL,
    )
    assert body is not None
    lines = (line.strip().rstrip(",") for line in body[1].split("\n"))
    return [(line.split()[0], line) for line in lines]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
