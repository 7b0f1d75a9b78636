"""Every `hermes …` line that the documentation shows is one that the program takes."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from hermes_agent.cli.root import root
from hermes_agent.cli.table import COMMANDS

TOP = Path(__file__).parents[2]
PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("*.md"))]
SHELLS = ("", "sh", "bash", "console", "shell")
PROGRAM = re.compile(r"(?:\$ )?(?:scripts/)?hermes(?= |$)")
SPAN = re.compile(r"`((?:scripts/)?hermes [^`]+)`")
TWO_COLUMNS = re.compile(r" {2,}(?=hermes )")
SHELL = re.compile(r" (?:[|<>&]|&&|[0-9]>) ")
LEFT_OUT = "…"


class Shown(NamedTuple):
    """A command line of a page; `whole` if a reader would type it as it stands."""

    place: str
    text: str
    whole: bool


def _shown(page: Path) -> list[Shown]:
    """Those in code blocks, and those in the running text."""
    found: list[Shown] = []
    language: str | None = None
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        place = f"{page.name}:{number}"
        if line.lstrip().startswith("```"):
            language = line.strip("` ") if language is None else None
        elif language is None:
            spans: list[str] = SPAN.findall(line)
            found += [Shown(place, span.replace(r"\|", "|"), False) for span in spans]
        elif language in SHELLS:
            columns = TWO_COLUMNS.split(line.split(" #")[0])
            parts = [part.strip() for column in columns for part in SHELL.split(column)]
            found += [Shown(place, part, True) for part in parts if PROGRAM.match(part)]
    return found


SHOWN = [shown for page in PAGES for shown in _shown(page)]


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups find their commands and all arguments are parsed, but no callback is called."""

    def parsed(command: click.Command, ctx: click.Context) -> None: ...

    monkeypatch.setattr(click.Command, "invoke", parsed)


def test_the_pages_show_command_lines() -> None:
    assert {shown.place.split(":")[0] for shown in SHOWN} >= {"README.md", "gateway.md", "jobs.md"}


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: f"{shown.place} {shown.text}")
def test_the_program_takes_every_command_line_that_is_shown(shown: Shown) -> None:
    words = shlex.split(PROGRAM.sub("", SHELL.split(shown.text)[0], count=1))
    some = [word for word in words if word != LEFT_OUT]
    assert not some or some[0].startswith("-") or some[0] in COMMANDS
    if some[-1:] == ["-q"] and not shown.whole:
        some.append("its value")
    try:
        root.main(some, prog_name="hermes", standalone_mode=False)
    except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        assert not shown.whole or LEFT_OUT in words


def _cut(group: click.Group, path: str) -> list[str]:
    """Commands of which `path --help` says a part of a sentence, on eighty columns."""
    found: list[str] = []
    names = group.list_commands(click.Context(group))
    room = 80 - 6 - max(map(len, names))
    for name in names:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if group is not root and command.get_short_help_str(room).endswith("..."):
            found.append(f"{path} {name}")
        if isinstance(command, click.Group):
            found += _cut(command, f"{path} {name}")
    return found


def test_no_help_of_a_command_is_cut_off_in_a_list() -> None:
    assert _cut(root, "hermes") == []
