"""`hermes setup`: questions on a terminal, options without one."""

import signal
from pathlib import Path

import pytest

from tests.acceptance.dialogue import dialogue
from tests.acceptance.hermes import LIMIT, Hermes


def test_nothing_answered_changes_nothing(hermes: Hermes) -> None:
    before = (hermes.home / "config.yaml").read_bytes()
    with dialogue(hermes, "setup") as talk:
        for question in ("Which", "Where commands run", "Most model calls", "Manner of speaking"):
            talk.answer(question, "")
        talk.until("Nothing was changed.")
        assert talk.process.wait(LIMIT) == 0
    assert (hermes.home / "config.yaml").read_bytes() == before
    assert not (hermes.home / ".env").exists()


def test_a_server_of_ones_own_with_a_hidden_key(hermes: Hermes) -> None:
    (hermes.home / "config.yaml").unlink()
    with dialogue(hermes, "setup", "model") as talk:
        talk.answer("Which", "no such")
        talk.answer("Which", "u")
        talk.answer("Address", "http://127.0.0.1:9/v1")
        talk.answer("Model", "mine")
        talk.answer("Key", "sk-very-hidden")
        talk.until("Try it with")
        assert talk.process.wait(LIMIT) == 0
        assert "sk-very-hidden" not in talk.seen
    assert hermes.run("config", "get", "model.base_url").out == "http://127.0.0.1:9/v1\n"
    assert (hermes.home / ".env").read_text() == "OPENAI_API_KEY=sk-very-hidden\n"
    assert (hermes.home / ".env").stat().st_mode & 0o777 == 0o600


def test_ctrl_c_in_the_middle_writes_nothing(hermes: Hermes) -> None:
    before = (hermes.home / "config.yaml").read_bytes()
    with dialogue(hermes, "setup") as talk:
        talk.answer("Which", "u")
        talk.answer("Address", "http://127.0.0.1:9/v1")
        talk.answer("Model", "mine")
        talk.until("Key")
        talk.process.send_signal(signal.SIGINT)
        talk.until("Interrupted.")
        assert talk.process.wait(LIMIT) == 130
    assert (hermes.home / "config.yaml").read_bytes() == before
    assert not (hermes.home / ".env").exists()


def test_options_are_written_and_the_key_comes_from_a_pipe(hermes: Hermes) -> None:
    ran = hermes.run(
        "setup", "--non-interactive", "--provider", "openai", "--model", "m", "--max-turns", "3",
        "--key-stdin", given="sk-piped\n",
    )  # fmt: skip
    assert ran.status == 0
    assert "sk-piped" not in ran.out + ran.err
    assert (hermes.home / ".env").read_text() == "OPENAI_API_KEY=sk-piped\n"
    assert hermes.run("config", "get", "agent.max_turns").out == "3\n"


def test_another_provider_forgets_the_address_of_the_one_before(hermes: Hermes) -> None:
    assert hermes.run("setup", "--non-interactive", "--provider", "openai").status == 0
    assert "base_url" not in (hermes.home / "config.yaml").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "nothing to write"),
        (["--provider", "nosuch"], "no provider “nosuch”"),
        (["--personality", "nosuch"], "no personality “nosuch”"),
        (["--provider", "openai", "--key-stdin"], "no key on standard input"),
        (["--max-turns", "0"], "max-turns"),
    ],
)
def test_a_wrong_option_writes_nothing(hermes: Hermes, options: list[str], said: str) -> None:
    before = (hermes.home / "config.yaml").read_bytes()
    ran = hermes.run("setup", "--non-interactive", *options)
    assert ran.status == 2
    assert said in ran.err
    assert (hermes.home / "config.yaml").read_bytes() == before
    assert not (hermes.home / ".env").exists()


def test_without_a_terminal_it_says_how(hermes: Hermes) -> None:
    ran = hermes.run("setup")
    assert ran.status == 2
    assert "--non-interactive" in ran.err


def test_reset_forgets_the_section_and_nothing_else(hermes: Hermes) -> None:
    hermes.configure(
        "agent:\n  max_turns: 3\ndisplay:\n  personality: pirate # arr\n  bell: true\n"
    )
    ran = hermes.run("setup", "--non-interactive", "--reset", "agent")
    assert ran.status == 0
    assert "agent is forgotten" in ran.out
    text = (hermes.home / "config.yaml").read_text()
    assert "max_turns" not in text and "pirate" not in text
    assert "scripted-model" in text


def test_a_place_that_does_not_work_is_said_before_it_is_chosen(
    hermes: Hermes, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text("#!/bin/sh\necho 'Cannot connect' >&2; exit 1\n")
    (tmp_path / "bin/docker").chmod(0o755)
    hermes.environ["PATH"] = f"{tmp_path}/bin:{hermes.environ['PATH']}"
    with dialogue(hermes, "setup", "terminal") as talk:
        talk.answer("Where commands run", "docker")
        talk.answer("Image", "debian:bookworm")
        talk.answer("all the same", "n")
        assert "docker does not answer: Cannot connect" in talk.seen
        talk.answer("Where commands run", "ssh")
        talk.answer("Machine", "127.0.0.1")
        talk.answer("User there", "nobody")
        talk.answer("all the same", "y")
        assert "the machine 127.0.0.1 does not answer" in talk.seen
        talk.until("Try it with")
        assert talk.process.wait(LIMIT) == 0
    assert hermes.run("config", "get", "terminal.backend").out == "ssh\n"
    ran = hermes.run("setup", "--non-interactive", "--backend", "docker")
    assert ran.status == 0
    assert "docker does not answer: Cannot connect" in ran.err
    (tmp_path / "bin/docker").write_text("#!/bin/sh\necho 27.1\n")
    with dialogue(hermes, "setup", "terminal") as talk:
        talk.answer("Where commands run", "local")
        talk.until("local works everywhere")
        assert talk.process.wait(LIMIT) == 0
    with dialogue(hermes, "setup", "terminal") as talk:
        talk.answer("Where commands run", "docker")
        talk.answer("Image", "")
        talk.until("Try it with")
        assert "docker answers (27.1)" in talk.seen
        assert talk.process.wait(LIMIT) == 0
