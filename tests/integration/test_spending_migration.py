"""A home from before the book of spending: what it spent is in the book afterwards."""

from pathlib import Path

import apsw

from hermes_agent.store.opening import DATABASE, open_store
from hermes_agent.store.sqlite import migrations
from hermes_agent.store.sqlite.transaction import typed

BOOK = 11
"""The number of the migration that makes it."""


def before_the_book(home: Path) -> None:
    """A database as it was, with sessions that cost something, something unknown, and nothing."""
    folder = Path(migrations.__file__).parent
    connection = apsw.Connection(str(home / DATABASE))
    db = typed(connection)
    db.execute(
        "CREATE TABLE store_migrations (number INTEGER PRIMARY KEY, name TEXT, applied_at REAL)"
    )
    for file in sorted(folder.glob("*.sql")):
        number = int(file.name[:4])
        if number < BOOK:
            db.execute(file.read_text())
            db.execute("INSERT INTO store_migrations VALUES (?, ?, 0)", (number, file.stem))
    rows = (
        ("said", "cli", 100.0, 200.0, 10, 0.5, 0.25),
        ("guessed", "telegram", 300.0, None, 20, 0.125, None),
        ("unknown", "cli", 400.0, None, 30, None, None),
        ("agent", "delegate", 400.0, None, 30, 1.0, None),
        ("empty", "cli", 500.0, None, 0, None, None),
    )
    for row in rows:
        db.execute(
            "INSERT INTO sessions (id, source, started_at, ended_at, input_tokens,"
            " estimated_cost_usd, actual_cost_usd) VALUES (?, ?, ?, ?, ?, ?, ?)",
            row,
        )
    connection.close()


def test_what_sessions_cost_before_is_in_the_book_once(tmp_path: Path) -> None:
    before_the_book(tmp_path)
    store = open_store(tmp_path)
    whole = store.spent_between(0, 1000)
    assert (whole.calls, whole.usd, whole.tokens, whole.unknown) == (3, 0.375, 60, 1)
    assert store.spent_in("said").usd == 0.25
    assert store.spent_between(0, 250).calls == 1
    assert {each.source for each in store.spending(since=0)} == {"cli", "telegram"}
    store.close()
    store = open_store(tmp_path)
    assert store.spent_between(0, 1000) == whole
    store.close()
