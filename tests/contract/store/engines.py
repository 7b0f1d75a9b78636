"""Every store there is. A new engine joins by a line here."""

from collections.abc import Callable
from pathlib import Path

from hermes_agent.store.port import SessionStore
from hermes_agent.store.sqlite.store import SqliteStore

ENGINES: dict[str, Callable[[Path], SessionStore]] = {
    "sqlite": lambda folder: SqliteStore.open(folder / "state.db"),
}
