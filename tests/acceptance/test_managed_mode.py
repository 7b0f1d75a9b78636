"""A home that a declaration owns: nothing of it is changed from here, everything else works."""

import stat
from pathlib import Path

import pytest

from tests.acceptance.declaring import SIGNALS, manage
from tests.acceptance.hermes import Hermes
from tests.acceptance.terminal import OpenChat, needs_tmux
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply

READERS = [
    ["config"],
    ["config", "show", "--json"],
    ["config", "get", "timezone"],
    ["config", "path"],
    ["config", "check"],
    ["status"],
    ["model"],
    ["tools", "list"],
    ["sessions", "list"],
    ["insights"],
    ["version"],
]


def contents(home: Path) -> dict[str, tuple[bytes, int]]:
    """The declared files, byte by byte, and their modes."""
    return {
        name: ((home / name).read_bytes(), stat.S_IMODE((home / name).stat().st_mode))
        for name in ("config.yaml", ".env", ".managed")
        if (home / name).exists()
    }


@pytest.fixture(params=SIGNALS)
def managed(hermes: Hermes, request: pytest.FixtureRequest) -> Hermes:
    hermes.configure("timezone: Europe/Paris\nmax_turns: 7\n")
    (hermes.home / ".env").write_text("OPENROUTER_API_KEY=sk-or-secret\n")
    manage(hermes, request.param)
    return hermes


def test_every_reader_works(managed: Hermes) -> None:
    before = contents(managed.home)
    for words in READERS:
        ran = managed.run(*words)
        assert ran.status == 0, (words, ran.err)
    assert "managed by NixOS" in managed.run("doctor", "--offline").out
    assert contents(managed.home) == before


def test_a_chat_works_and_is_remembered(managed: Hermes, server: ModelServer) -> None:
    before = contents(managed.home)
    server.say(
        Reply(calls=[Call("terminal", {"command": "touch done"})]),
        Reply(text="Done."),
        Reply(text="Still here."),
    )
    assert managed.run("-q", "go").out == "Done.\n"
    assert managed.run("-c", "-q", "more").out == "Still here.\n"
    assert (managed.folder / "done").exists()
    assert contents(managed.home) == before


@needs_tmux
def test_an_approval_for_always_is_not_offered_and_one_for_the_session_is_not_written(
    managed: Hermes, chat: OpenChat, server: ModelServer
) -> None:
    before = contents(managed.home)
    (managed.folder / "one").mkdir()
    server.say(
        Reply(calls=[Call("terminal", {"command": "rm -rf ./one"})]), Reply(text="Turn over.")
    )
    tmux = chat()
    tmux.say("remove it")
    assert "[a] always" not in tmux.see("[s] for this session")
    tmux.answer("s")
    tmux.see("Turn over.")
    assert not (managed.folder / "one").exists()
    assert contents(managed.home) == before


def test_the_doctor_mends_nothing_that_is_declared(managed: Hermes) -> None:
    (managed.home / ".env").write_bytes(b"GOOD=1\n\xff\xfe\n")
    before = contents(managed.home)
    ran = managed.run("doctor", "--offline", "--fix")
    assert ran.status == 1
    assert "managed by NixOS" in ran.out
    assert contents(managed.home) == before
