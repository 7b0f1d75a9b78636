"""A model server and a hermes for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.hermes import Hermes
from tests.acceptance.terminal import OpenChat, Tmux
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


@pytest.fixture
def chat(hermes: Hermes) -> Iterator[OpenChat]:
    """Opens interactive chats in tmux, ready for the first line."""
    opened: list[Tmux] = []

    def open_(
        *arguments: str,
        columns: int = 100,
        rows: int = 30,
        shell: bool = False,
        mark: str = "❯",
        **variables: str,
    ) -> Tmux:
        opened.append(
            Tmux(hermes, *arguments, columns=columns, rows=rows, shell=shell, **variables)
        )
        return opened[-1].ready(mark)

    yield open_
    for each in opened:
        each.close()
