"""Completion in the input line."""

from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from hermes_agent.cli.terminal.completion import ChatCompleter
from hermes_agent.sessions.slash import SlashCommand, SlashTable


async def nothing(argument: str) -> None: ...


TABLE = SlashTable(
    [
        SlashCommand(name="model", help="", run=nothing),
        SlashCommand(name="mood", help="", run=nothing, choices=lambda: ("calm", "cheerful")),
    ]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("plain.txt", "with space.txt", ".hidden", "evil\x1b[2J.txt"):
        (tmp_path / name).touch()
    (tmp_path / "sub dir").mkdir()
    (tmp_path / "sub dir" / "inner.txt").touch()
    return tmp_path


def proposed(folder: Path, text: str, *, tab: bool = False) -> list[str]:
    """The whole line as it would be with each proposal."""
    completer = ChatCompleter(lambda: TABLE, lambda: str(folder))
    found = completer.get_completions(Document(text), CompleteEvent(completion_requested=tab))
    return [text[: len(text) + each.start_position] + each.text for each in found]


def test_commands_and_their_arguments(folder: Path) -> None:
    assert proposed(folder, "/mo") == ["/model", "/mood"]
    assert proposed(folder, "/mood c") == ["/mood calm", "/mood cheerful"]
    assert proposed(folder, "/moo ca") == ["/moo calm"]
    assert proposed(folder, "/model x") == []
    assert proposed(folder, "/m x") == []


def test_references_quote_what_has_a_space(folder: Path) -> None:
    assert proposed(folder, "see @fi") == ["see @file:"]
    assert proposed(folder, "see @file:p") == ["see @file:plain.txt"]
    assert proposed(folder, "see @file:w") == ['see @file:"with space.txt"']
    assert proposed(folder, "see @file:su") == ['see @file:"sub dir/']
    assert proposed(folder, 'see @file:"sub dir/') == ['see @file:"sub dir/inner.txt"']


def test_hidden_names_only_when_asked_for_and_unprintable_ones_never(folder: Path) -> None:
    everything = proposed(folder, "@file:")
    assert not any(".hidden" in each or "evil" in each for each in everything)
    assert proposed(folder, "@file:.h") == ["@file:.hidden"]


def test_paths_only_with_tab(folder: Path) -> None:
    assert proposed(folder, "look at ./pl") == []
    assert proposed(folder, "look at ./pl", tab=True) == ["look at ./plain.txt"]
    assert proposed(folder, "look at /nowhere/at/all", tab=True) == []
    assert proposed(folder, "~nobody-of-this-name/x", tab=True) == []
