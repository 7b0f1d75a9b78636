"""Finding a slash command in what was typed."""

import pytest

from hermes_agent.domain.errors import UsageError
from hermes_agent.sessions.slash import SlashCommand, SlashTable


async def nothing(argument: str) -> None: ...


TABLE = SlashTable(
    [
        SlashCommand(name="resume", help="", run=nothing),
        SlashCommand(name="retry", help="", run=nothing),
        SlashCommand(name="quit", aliases=("exit", "q"), help="", run=nothing),
    ]
)


def name_of(line: str) -> str | None:
    found = TABLE.find(line)
    return found[0].name if found else None


def test_names_aliases_and_unambiguous_beginnings_are_found() -> None:
    assert name_of("/resume abc") == "resume"
    assert name_of("/exit") == "quit"
    assert name_of("/ret") == "retry"
    assert name_of("/QUIT") == "quit"


def test_what_stands_behind_the_name_is_the_argument() -> None:
    found = TABLE.find("/resume  my long title ")
    assert found is not None
    assert found[1] == "my long title"


def test_paths_and_plain_words_are_messages() -> None:
    assert name_of("/etc/hosts is strange") is None
    assert name_of("hello /quit") is None
    assert name_of("/") is None


def test_an_ambiguous_beginning_names_the_candidates() -> None:
    with pytest.raises(UsageError, match="/resume, /retry"):
        TABLE.find("/re")


def test_an_unknown_command_points_to_help() -> None:
    with pytest.raises(UsageError) as caught:
        TABLE.find("/nonsense")
    assert caught.value.hint is not None
    assert "/help" in caught.value.hint
