"""Which engine keeps a home's sessions. Today there is one."""

from pathlib import Path

from hermes_agent.domain.errors import StoreError
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Recovery
from hermes_agent.store.transcripts import transcripts

DATABASE = "state.db"


def open_store(home: Path) -> SessionStore:
    """The store of `home`, made or brought up to date where needed.

    A database that cannot be written is opened for reading. Raises `StoreError` with the
    file and what to do; `NewerStoreError` leaves the file untouched.
    """
    from hermes_agent.store.sqlite.store import SqliteStore

    return SqliteStore.open(home / DATABASE)


def open_existing_store(home: Path) -> SessionStore | None:
    """The store of `home`, or None where nothing was ever stored; creates nothing."""
    try:
        there = (home / DATABASE).exists() or any(transcripts(home / "sessions"))
    except OSError as error:
        raise StoreError(
            f"{home} cannot be read: {error.strerror}.",
            hint="Look at the owner and mode of the folder, or set HERMES_HOME to another.",
        ) from error
    return open_store(home) if there else None


def copy_store(home: Path, target: Path) -> None:
    """A copy of the data in the folder `target` as they stand, not brought up to date; none
    where nothing was ever stored. Raises `StoreError`."""
    from hermes_agent.store.sqlite.connection import in_words
    from hermes_agent.store.sqlite.copying import copy

    path = home / DATABASE
    if path.exists():
        with in_words(path):
            copy(path, target / DATABASE, leave_no_trace=True)


def check_store(home: Path) -> tuple[str, ...]:
    """What is wrong with the stored data, for `doctor`; empty when it is whole or not there.

    Reads everything, so it takes time. Raises `StoreError` when the file cannot be opened.
    """
    from hermes_agent.store.sqlite.recovery import problems

    path = home / DATABASE
    return problems(path) if path.exists() else ()


def recover_store(home: Path) -> Recovery:
    """Save what can be read of a damaged store and keep the damaged one beside it.

    No other process may use the home meanwhile. Raises `StoreError`.
    """
    from hermes_agent.store.sqlite.recovery import recover

    return recover(home / DATABASE)
