"""Which engine keeps a home's ledger. Today there is one."""

import time
from collections.abc import Callable
from pathlib import Path

from hermes_agent.ledger.port import Ledger
from hermes_agent.store.opening import DATABASE


def open_ledger(home: Path, clock: Callable[[], float] = time.time) -> Ledger:
    """The ledger of `home`, made or brought up to date where needed. Raises `StoreError`."""
    from hermes_agent.ledger.sqlite.ledger import SqliteLedger

    return SqliteLedger.at(home / DATABASE, clock)


def open_existing_ledger(home: Path) -> Ledger | None:
    """The ledger of `home`, or None where nothing was ever stored; creates nothing."""
    return open_ledger(home) if (home / DATABASE).exists() else None
