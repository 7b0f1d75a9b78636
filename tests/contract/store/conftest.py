"""A store of each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Session
from tests.contract.store.engines import ENGINES


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SessionStore]:
    """An empty store."""
    opened = ENGINES[request.param](tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def session(store: SessionStore) -> str:
    """The id of a session without messages."""
    return store.create(Session(id="20260301_101500_abc123", source="cli")).id
