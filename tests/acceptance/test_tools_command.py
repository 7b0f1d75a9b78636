"""`hermes tools`, driven as people and scripts do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def hermes(*words: str, managed: bool = False) -> subprocess.CompletedProcess[str]:
    import os

    environ = {**os.environ, **({"HERMES_MANAGED": "true"} if managed else {})}
    program = "from hermes_agent.cli.entry import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "tools", *words],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def enabled(platform: str = "cli") -> set[str]:
    listed = json.loads(hermes("list", "--json", "--platform", platform).stdout)
    assert listed["platform"] == platform
    return {
        tool["name"]
        for toolset in listed["toolsets"]
        for tool in toolset["tools"]
        if tool["enabled"]
    }


def test_everything_is_on_at_first_and_looking_writes_nothing(home: Path) -> None:
    shown = hermes()
    assert shown.returncode == 0
    assert "hermes tools disable NAME" in shown.stdout
    assert {"terminal", "read_file", "patch", "clarify"} <= enabled()
    assert not (home / "config.yaml").exists()


def test_what_is_disabled_is_off_until_enabled_and_only_there(home: Path) -> None:
    home.mkdir()
    (home / "config.yaml").write_text("# mine\ndisplay:\n  compact: true # yes\n")
    before = enabled()
    done = hermes("disable", "patch", "todo")
    assert (done.returncode, done.stderr) == (0, "")
    assert enabled() == before - {"patch", "todo"}
    assert enabled("telegram") == before
    text = (home / "config.yaml").read_text()
    assert text.startswith("# mine\ndisplay:\n  compact: true # yes\n")
    assert hermes("enable", "patch", "todo").returncode == 0
    assert enabled() == before
    assert "already" in hermes("enable", "patch").stdout


def test_the_summary_is_one_line_a_platform(home: Path) -> None:
    hermes("disable", "terminal", "--platform", "telegram")
    cli, telegram = hermes("--summary").stdout.splitlines()
    assert cli.startswith("cli: ")
    assert "terminal" in cli
    assert telegram.startswith("telegram: ")
    assert "terminal" not in telegram


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("disable", "trminal"), "Did you mean terminal?"),
        (("enable", "todo", "--platform", "telegrm"), "Did you mean telegram?"),
        (("disable", "server:tool"), "There is no MCP server called 'server'"),
        (("disable", "process"), "comes with terminal"),
        (("disable",), "NAME"),
    ],
)
def test_what_cannot_be_meant_is_explained(home: Path, words: tuple[str, ...], said: str) -> None:
    done = hermes(*words)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert not (home / "config.yaml").exists()


def test_a_tool_of_an_mcp_server_is_left_out_and_back_in(home: Path) -> None:
    home.mkdir()
    config = home / "config.yaml"
    config.write_text("mcp_servers:\n  git:\n    command: git-mcp\n")
    assert hermes("disable", "git:push", "git:reset").returncode == 0
    assert "exclude: [push, reset]" in config.read_text()
    assert hermes("enable", "git:push").returncode == 0
    assert "exclude: [reset]" in config.read_text()


def test_a_managed_installation_lists_and_refuses_changes(home: Path) -> None:
    assert hermes("list", managed=True).returncode == 0
    for words in (("disable", "todo"), ("enable", "todo")):
        done = hermes(*words, managed=True)
        assert done.returncode == 1
        assert "managed by NixOS" in done.stderr
    assert not (home / "config.yaml").exists()
