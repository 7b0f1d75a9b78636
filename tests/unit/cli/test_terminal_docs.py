"""docs/terminal.md names the commands that there are, all of them."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from hermes_agent.cli.slash.table import our_commands

PAGE = Path(__file__).parents[3] / "docs" / "terminal.md"


def test_the_page_lists_every_command_and_no_other() -> None:
    chat: Any = SimpleNamespace()
    rows = re.findall(r"^\| (`/.+?) \| ", PAGE.read_text("utf-8"), re.MULTILINE)
    listed = [cast("list[str]", re.findall(r"`/(.+?)`", row)) for row in rows]
    expected = [
        [f"{command.name} {command.usage}".strip().replace("|", r"\|"), *command.aliases]
        for command in our_commands(chat)
    ]
    assert listed == expected
