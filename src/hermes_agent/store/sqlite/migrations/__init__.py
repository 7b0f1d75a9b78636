"""Bringing a database to the shape that this version expects, once, under a lock, after a copy.

How far a database came stands in `store_migrations`. The documented `schema_version` is left
to say which documented shape it has: tools in the field compare it with their own number.

Numbers only grow. One that was skipped, as 9 was, stays empty: a home past it would never get it.
"""

import re
import time
from pathlib import Path

import apsw

from hermes_agent.domain.errors import NewerStoreError
from hermes_agent.store.sqlite.transaction import Transaction, typed

OLD_HOME = 12
"""The migration with which files of an older installation are read."""
_FOLDER = Path(__file__).parent


def newest() -> int:
    """The number of the last migration that this version knows."""
    return max(_files())


def applied(db: Transaction, path: Path) -> int:
    """The number of the last migration of this database; 0 for a new or foreign one.

    Raises `NewerStoreError`.
    """
    done = 0
    if has_table(db, "store_migrations"):
        done = db.execute("SELECT max(number) FROM store_migrations").get or 0
    if done > newest():
        raise NewerStoreError(
            f"{path} was written by a newer version (schema {done}) and is left untouched.",
            hint="Update hermes-agent, or set HERMES_HOME to another folder.",
        )
    return done


def migrate(connection: apsw.Connection, path: Path) -> Path | None:
    """Apply what is missing, all or nothing. Other processes wait for it or find it done.

    Returns the copy of the file as it was, None for a new one.
    """
    from hermes_agent.store.sqlite.adoption import adopt
    from hermes_agent.store.sqlite.copying import PARTIAL, copy, require_room
    from hermes_agent.store.sqlite.old_home import take_over

    db = typed(connection)
    kept: Path | None = None
    db.execute("BEGIN IMMEDIATE")
    try:
        done = applied(db, path)
        if done < newest() and has_table(db, "sessions"):
            # Nobody else migrates now, so these are of processes that were killed.
            for broken in path.parent.glob(f"{path.name}.before-*{PARTIAL}"):
                broken.unlink()
            # A foreign file's indexes are made anew: they stand in the log, then in the file.
            require_room(path, copies=1 if done else 3)
            # A second connection reads the file as it was, whatever this transaction does.
            stamp = time.strftime("%Y%m%d-%H%M%S")
            kept = path.with_name(f"{path.name}.before-{newest():04d}-{stamp}")
            copy(path, kept)
        if done == 0 < newest():
            adopt(db, path)
        for number, file in sorted(_files().items()):
            if number > done:
                db.execute(file.read_text(encoding="utf-8"))
                db.execute(
                    "INSERT INTO store_migrations (number, name, applied_at) VALUES (?, ?, ?)",
                    (number, file.stem, time.time()),
                )
        if done < OLD_HOME:
            take_over(db, path.parent / "sessions")
        db.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            db.execute("ROLLBACK")
        raise
    return kept


def documented_tables() -> str:
    """The SQL of the documented tables."""
    return _files()[1].read_text(encoding="utf-8")


def own_tables() -> list[str]:
    """Names of the tables beside the documented ones."""
    return _made("TABLE")


def own_indexes() -> list[str]:
    """Names of their indexes."""
    return _made("INDEX")


def _made(kind: str) -> list[str]:
    later = "\n".join(file.read_text("utf-8") for number, file in _files().items() if number > 1)
    return re.findall(rf"^CREATE (?:VIRTUAL |UNIQUE )?{kind} (\w+)", later, re.MULTILINE)


def has_table(db: Transaction, name: str) -> bool:
    """Whether the database has a table of this name."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return db.execute(query, (name,)).get is not None


def _files() -> dict[int, Path]:
    return {int(file.name[:4]): file for file in _FOLDER.glob("[0-9][0-9][0-9][0-9]_*.sql")}
