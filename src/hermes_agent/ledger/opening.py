"""Which engine keeps a home's ledger. Today there is one."""

from pathlib import Path

from hermes_agent.ledger.port import Ledger
from hermes_agent.store.opening import DATABASE


def open_ledger(home: Path) -> Ledger:
    """The ledger of `home`, made or brought up to date where needed. Raises `StoreError`."""
    from hermes_agent.ledger.sqlite.ledger import SqliteLedger

    return SqliteLedger.at(home / DATABASE)
