"""A ledger of each engine, and more connections to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hermes_agent.ledger.port import Ledger
from tests.contract.ledger.engines import ENGINES
from tests.contract.ledger.making import Clock


@pytest.fixture
def clock() -> Clock:
    """What all ledgers of the test take for the time."""
    return Clock()


@pytest.fixture(params=ENGINES)
def connect(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> Iterator[Callable[[], Ledger]]:
    """Opens a connection of its own to the one ledger, as another process would."""
    opened: list[Ledger] = []

    def another() -> Ledger:
        opened.append(ENGINES[request.param](tmp_path / "home", clock))
        return opened[-1]

    yield another
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(connect: Callable[[], Ledger]) -> Ledger:
    """An empty ledger."""
    return connect()
