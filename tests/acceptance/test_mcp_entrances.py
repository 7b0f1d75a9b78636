"""MCP servers in the daemon and in the interactive chat: one connection each, none left behind."""

import signal
import subprocess
from collections.abc import Generator

import pytest

from tests.acceptance.hermes import Hermes
from tests.acceptance.mcp_house import SERVER, SERVERS, connect, results, search, use, wait
from tests.acceptance.terminal import OpenChat, needs_tmux
from tests.acceptance.test_gateway import gateway
from tests.servers.model import ModelServer
from tests.servers.script import Reply
from tests.servers.telegram import BotApi

HOSTILE = str(SERVERS / "mcp_hostile.py")


@pytest.fixture
def api() -> Generator[BotApi]:
    with BotApi() as api:
        yield api


def mark(hermes: Hermes) -> str:
    return f"mark-of-{hermes.home.parent.name}"


def running(hermes: Hermes) -> list[str]:
    found = subprocess.run(
        ("pgrep", "-f", mark(hermes)), capture_output=True, text=True, check=False
    )
    return found.stdout.split()


def test_a_session_does_not_wait_for_servers_before_its_first_request(
    hermes: Hermes, server: ModelServer
) -> None:
    connect(hermes, args=[HOSTILE, "hang", mark(hermes)], connect_timeout=600)
    server.say(Reply(text="At once."))
    assert hermes.run("-q", "go").out == "At once.\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_daemon_connects_once_for_all_chats_and_leaves_nothing(
    hermes: Hermes, server: ModelServer, api: BotApi, number: signal.Signals
) -> None:
    connect(hermes, args=[HOSTILE, "stubborn", mark(hermes)])
    with gateway(hermes, api) as daemon:
        server.say(use("mcp_demo_good"), Reply(text="First."))
        daemon.say("go")
        daemon.sees("First.")
        before = running(hermes)
        assert len(before) == 1
        daemon.say("/new")
        daemon.sees("session")
        server.say(use("mcp_demo_good"), Reply(text="Second."))
        daemon.say("again")
        daemon.sees("Second.")
        assert results(server)[-1]["result"] == "well"
        assert running(hermes) == before
        daemon.process.send_signal(number)
        wait(lambda: daemon.process.poll() is not None, "the daemon's end")
        wait(lambda: running(hermes) == [], "the server's end")


def test_a_chat_reads_the_servers_anew(hermes: Hermes, server: ModelServer, api: BotApi) -> None:
    connect(hermes, "first", args=[HOSTILE, "plain", mark(hermes)])
    with gateway(hermes, api) as daemon:
        server.say(search(""), Reply(text="One."))
        daemon.say("go")
        daemon.sees("One.")
        before = running(hermes)
        connect(hermes, "second", args=[SERVER])
        daemon.say("/reload-mcp")
        daemon.sees("MCP servers: first, second.")
        server.say(search(""), use("mcp_second_add", a=1, b=2), Reply(text="Two."))
        daemon.say("go")
        daemon.sees("Two.")
        looked, added = results(server)[-2:]
        assert looked["servers"] == {"first": 1, "second": 6}
        assert added["result"] == {"result": 3}
        assert running(hermes) == before
        daemon.stop()


@needs_tmux
def test_the_terminal_reads_the_servers_anew(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    connect(hermes, "first", args=[HOSTILE, "plain", mark(hermes)])
    server.say(search(""), Reply(text="One."))
    tmux = chat()
    tmux.say("go")
    tmux.see("One.")
    before = running(hermes)
    connect(hermes, "second", args=[SERVER])
    tmux.ready().say("/reload-mcp")
    tmux.see("MCP servers: first, second")
    assert running(hermes) == before
    server.say(use("mcp_second_add", a=1, b=2), Reply(text="Two."))
    tmux.ready().say("and now?")
    tmux.see("Two.")
    assert results(server)[-1]["result"] == {"result": 3}
    tmux.ready().say("/quit")
    assert tmux.left() == 0
    assert running(hermes) == []
