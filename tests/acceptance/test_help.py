"""Finding one's way: help, mistyped commands, completion."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hermes_agent.cli.table import COMMANDS
from tests.acceptance.hermes import LIMIT, Hermes
from tests.servers.model import ModelServer
from tests.servers.script import Reply


def test_help_lists_every_command_and_how_to_see_the_version(hermes: Hermes) -> None:
    ran = hermes.run("--help")
    assert ran.status == 0
    assert all(f"  {name} " in ran.out for name in COMMANDS)
    assert "--version" in ran.out
    assert hermes.run("-h").out == ran.out
    assert hermes.run("help").out == ran.out


@pytest.mark.parametrize("words", [["config"], ["config", "set"], ["chat"], ["help"]])
def test_help_with_a_command_shows_the_help_of_it(hermes: Hermes, words: list[str]) -> None:
    assert hermes.run("help", *words).out == hermes.run(*words, "--help").out


def test_help_with_an_unknown_command_is_wrong_usage(hermes: Hermes) -> None:
    ran = hermes.run("help", "nosuch")
    assert ran.status == 2
    assert "“nosuch”" in ran.err


def test_a_sentence_that_begins_with_help_is_a_question(
    hermes: Hermes, server: ModelServer
) -> None:
    server.say(Reply(text="Gladly."))
    assert hermes.run("help", "me", "move", "files").out == "Gladly.\n"


@pytest.mark.parametrize(("typed", "meant"), [("hlep", "help"), ("confg", "config")])
def test_a_mistyped_command_is_no_question(
    hermes: Hermes, server: ModelServer, typed: str, meant: str
) -> None:
    ran = hermes.run(typed)
    assert ran.status == 2
    assert f"Did you mean {meant}?" in ran.err
    assert f"hermes -q {typed}" in ran.err
    assert not server.model_requests


def test_one_word_that_is_no_command_is_a_question(hermes: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="Hello."))
    assert hermes.run("hello").out == "Hello.\n"


@pytest.mark.parametrize(
    "words",
    [
        ["version"],
        ["status"],
        ["insights"],
        ["doctor", "--offline"],
        ["config", "show"],
        ["sessions", "list"],
        ["sessions", "stats"],
    ],
)
def test_json_is_json_and_text_has_no_colours_in_a_pipe(
    hermes: Hermes, server: ModelServer, words: list[str]
) -> None:
    server.say(Reply(text="fine"))
    hermes.run("-q", "hi")
    json.loads(hermes.run(*words, "--json").out)
    assert "\x1b" not in hermes.run(*words).out


def test_insights_of_a_home_without_messages_are_noughts(hermes: Hermes) -> None:
    (hermes.home / "state.db").touch()
    ran = hermes.run("insights")
    assert (ran.status, ran.err) == (0, "")
    assert "tokens in          0" in ran.out


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("conf", "config"),
        ("config sch", "schema"),
        ("gateway queue ret", "retry"),
        ("help gateway unin", "uninstall"),
        ("pairing approve tele", "telegram"),
    ],
)
def test_bash_completes_commands(hermes: Hermes, words: str, expected: str) -> None:
    program = str(Path(sys.executable).with_name("hermes"))
    typed = words.split()
    count = len(typed)
    script = (
        f'eval "$({program} completion bash)"\n'
        f"COMP_WORDS=({program} {words}); COMP_CWORD={count}\n"
        f"$(complete -p hermes | sed 's/.*-F \\([^ ]*\\).*/\\1/') {program} {typed[-1]}\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-i"],
        env=hermes.environ | {"PS1": ""},
        input=script,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert expected in done.stdout.splitlines(), done.stderr
