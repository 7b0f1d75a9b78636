"""The statements of the ledger: `inbox.sql` and `outbox.sql`."""

from pathlib import Path

from hermes_agent.store.sqlite.queries import statements

_FOLDER = Path(__file__).parent


def load(file: str) -> dict[str, str]:
    """The statements of `<file>.sql` by name."""
    return statements(_FOLDER / f"{file}.sql")
