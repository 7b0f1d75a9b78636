"""A model server and a hermes for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.hermes import Hermes
from tests.servers.model import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def hermes(home: Path, tmp_path: Path, server: ModelServer) -> Hermes:
    folder = tmp_path / "work"
    folder.mkdir()
    return Hermes(home, folder, server.base_url)
