"""Taking over a database that another program of this ecosystem made."""

import re
from pathlib import Path

from hermes_agent.domain.errors import StoreError
from hermes_agent.store.sqlite import migrations
from hermes_agent.store.sqlite.transaction import Transaction


def adopt(db: Transaction, path: Path) -> None:
    """Prepare a database without migrations of ours, a new one included.

    Its word index goes, to be made anew with our triggers: two sets would index each message
    twice. Documented columns that an older one lacks are added. Raises `StoreError`.
    """
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
