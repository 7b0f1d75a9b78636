"""Every ledger there is. A new engine joins by a line here."""

from collections.abc import Callable
from pathlib import Path

from hermes_agent.ledger.opening import open_ledger
from hermes_agent.ledger.port import Ledger

Clock = Callable[[], float]

ENGINES: dict[str, Callable[[Path, Clock], Ledger]] = {
    "sqlite": lambda folder, clock: open_ledger(folder, clock),
}
"""Called again with the same folder, one gives another connection to the same ledger."""
