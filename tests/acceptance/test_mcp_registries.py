"""Servers of other people, as they are in the registries: one in Python, one in TypeScript."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.hermes import Hermes
from tests.acceptance.mcp_house import connect, results, search, use
from tests.servers.model import ModelServer
from tests.servers.script import Reply

PREPARE = Path(__file__).parents[2] / "scripts" / "prepare-mcp-servers"


@cache
def commands() -> dict[str, list[str] | None]:
    made = subprocess.run((sys.executable, PREPARE), capture_output=True, text=True, check=False)
    return json.loads(made.stdout) if made.returncode == 0 else {}


def installed(name: str) -> list[str]:
    command = commands().get(name)
    if command is None:
        pytest.skip(f"THE MCP SERVER {name} COULD NOT BE INSTALLED: scripts/prepare-mcp-servers")
    return command


def configure(hermes: Hermes, name: str, *words: str) -> None:
    program, *arguments = [*installed(name), *words]
    settings: dict[str, Any] = {"command": program, "args": arguments}
    connect(hermes, name, **settings)


def test_a_server_in_python_tells_the_time(hermes: Hermes, server: ModelServer) -> None:
    configure(hermes, "time")
    server.say(
        search("current time in a timezone"),
        use("mcp_time_get_current_time", timezone="Europe/Vienna"),
        Reply(text="Well."),
    )
    assert hermes.run("-q", "go").out == "Well.\n"
    found, told = results(server)
    assert "mcp_time_get_current_time" in [tool["name"] for tool in found["tools"]]
    assert "Europe/Vienna" in json.dumps(told["result"])


def test_a_server_in_typescript_reads_files(
    hermes: Hermes, server: ModelServer, tmp_path: Path
) -> None:
    folder = tmp_path / "shown"
    folder.mkdir()
    (folder / "note.txt").write_text("Water the plants.")
    (tmp_path / "hidden.txt").write_text("Nothing for you.")
    configure(hermes, "filesystem", str(folder))
    server.say(
        use("mcp_filesystem_read_text_file", path=str(folder / "note.txt")),
        use("mcp_filesystem_read_text_file", path=str(tmp_path / "hidden.txt")),
        Reply(text="Well."),
    )
    assert hermes.run("-q", "go").out == "Well.\n"
    read, refused = results(server)
    assert "Water the plants." in json.dumps(read["result"])
    assert "Nothing for you." not in json.dumps(refused)
