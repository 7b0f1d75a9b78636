"""Values of a foreign database that its documented columns were never meant to hold.

The engine stores any value in any column, so a time may be a text and a count a word. Readers here
rely on what is documented: seconds since 1970, counts from 0, one line of title.
"""

from hermes_agent.store.sqlite.queries import load
from hermes_agent.store.sqlite.transaction import Transaction
from hermes_agent.store.text import clean_title
from hermes_agent.store.transcripts import moment

UNKNOWN_SOURCE = "imported"
"""The source of a conversation of which nothing says where it was led."""


def mend_sessions(db: Transaction) -> None:
    """Times that are texts become moments; what makes no sense is 0, or unknown."""
    _mend_times(db, "started")
    _mend_times(db, "ended")
    db.execute(load("mending")["counts"])
    db.execute(load("mending")["costs"])
    _mend_sources(db)
    _mend_titles(db)


def mend_messages(db: Transaction) -> None:
    """A message without a time that makes sense is as old as its session."""
    _mend_times(db, "said")


def _mend_times(db: Transaction, which: str) -> None:
    for row, value in db.execute(load("mending")[f"odd_{which}"]).fetchall():
        values = {"row": row, "moment": moment(value) or None}
        db.execute(load("mending")[f"mend_{which}"], values)


def _mend_sources(db: Transaction) -> None:
    for (stored,) in db.execute(load("mending")["sources"]).fetchall():
        plain = clean_title(_read(stored)) or UNKNOWN_SOURCE
        if plain.encode() != stored:
            values = {"source": plain, "stored": stored}
            db.execute(load("mending")["mend_source"], values)


def _mend_titles(db: Transaction) -> None:
    """A title is one line that names one session: the newest keeps it, earlier ones get their
    id behind it. Titles that are as they should be never give way to others."""
    rows = [
        (row, _read(name), stored, clean_title(_read(stored)))
        for row, name, stored in db.execute(load("mending")["titles"])
    ]
    rows.sort(key=lambda each: (each[3] or "").encode() != each[2])
    taken: set[str] = set()
    changes: list[tuple[str | None, int]] = []
    for row, name, stored, plain in rows:
        wanted = plain
        if wanted in taken:
            wanted = clean_title(f"{wanted[:60]} {name[:38]}")
        if wanted in taken:
            wanted = None
        if wanted:
            taken.add(wanted)
        if (wanted or "").encode() != stored:
            changes.append((wanted, row))
    # No two may have the same title in between either.
    for title, row in [*((None, row) for _, row in changes), *changes]:
        db.execute(load("mending")["mend_title"], {"title": title, "row": row})


def _read(value: bytes) -> str:
    return value.decode(errors="replace")
