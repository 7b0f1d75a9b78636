"""A scripted server for each test, and the vendors' own clients as oracles."""

from collections.abc import Iterator

import pytest

from tests.contract.servers.oracles import ORACLES, Oracle
from tests.servers.model import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(params=sorted(ORACLES))
def oracle(request: pytest.FixtureRequest, server: ModelServer) -> Iterator[Oracle]:
    """Every dialect, whole and streamed, read by its vendor's client."""
    oracle = ORACLES[request.param](server)
    yield oracle
    oracle.close()
