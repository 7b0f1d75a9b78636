"""Which engine keeps a home's sessions. Today there is one."""

from pathlib import Path

from hermes_agent.domain.errors import StoreError
from hermes_agent.store.port import SessionStore

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
        there = (home / DATABASE).exists()
    except OSError as error:
        raise StoreError(
            f"{home} cannot be read: {error.strerror}.",
            hint="Look at the owner and mode of the folder, or set HERMES_HOME to another.",
        ) from error
    return open_store(home) if there else None
