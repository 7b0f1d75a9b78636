"""Servers that lie, flood, hang and cling: none takes the agent along, none is left behind."""

import json
import signal
import subprocess
from typing import Any

import pytest

from tests.acceptance.hermes import Hermes
from tests.acceptance.mcp_house import SERVERS, connect, results, search, use, wait
from tests.servers.model import ModelServer
from tests.servers.script import Reply

HOSTILE = str(SERVERS / "mcp_hostile.py")


def hostile(hermes: Hermes, way: str, **settings: Any) -> None:
    connect(hermes, "bad", args=[HOSTILE, way, mark(hermes)], **settings)


def mark(hermes: Hermes) -> str:
    return f"mark-of-{hermes.home.parent.name}"


def running(hermes: Hermes) -> list[str]:
    """What of its servers still runs."""
    found = subprocess.run(
        ("pgrep", "-f", mark(hermes)), capture_output=True, text=True, check=False
    )
    return found.stdout.split()


WORK = ["plain", "flood", "many", "long", "changing", "asks", "stderr", "pages", "empty-pages"]


@pytest.mark.parametrize("way", WORK)
def test_a_server_that_says_too_much_is_used_all_the_same(
    hermes: Hermes, server: ModelServer, way: str
) -> None:
    hostile(hermes, way)
    name = "mcp_bad_tool_7" if way == "pages" else "mcp_bad_good"
    server.say(search(name), use(name), Reply(text="Well."))
    ran = hermes.run("-q", "go")
    assert (ran.status, ran.out) == (0, "Well.\n")
    found, used = results(server)
    assert found["tools"][0]["name"] == name
    if way == "changing" and "result" not in used:
        assert "something else" in json.dumps(used)
    else:
        assert used["result"] == "well"
    sent = [len(request.body) for request in server.model_requests]
    assert max(sent) < 400_000
    assert running(hermes) == []


@pytest.mark.parametrize("way", ["hang", "half", "ids", "version"])
def test_a_server_that_never_makes_sense_is_not_there(
    hermes: Hermes, server: ModelServer, way: str
) -> None:
    hostile(hermes, way, connect_timeout=20 if way == "version" else 4)
    server.say(search(""), Reply(text="Well."))
    ran = hermes.run("-q", "go")
    assert (ran.status, ran.out) == (0, "Well.\n")
    why = results(server)[0]["not_connected"]["bad"]
    assert "protocol version" in why if way == "version" else "in time" in why
    assert running(hermes) == []


def test_tools_with_odd_names_get_names_that_models_accept(
    hermes: Hermes, server: ModelServer
) -> None:
    hostile(hermes, "names")
    server.say(search(""), search("tool"), use("mcp_bad_a_b"), Reply(text="Well."))
    hermes.run("-q", "go")
    counted, found, used = results(server)
    assert counted["servers"] == {"bad": 6}
    names = [tool["name"] for tool in found["tools"]]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and name.replace("_", "").isalnum() for name in names)
    assert used["result"] == "well"


def test_a_result_without_measure_is_cut(hermes: Hermes, server: ModelServer) -> None:
    hostile(hermes, "result")
    server.say(use("mcp_bad_good"), Reply(text="Well."))
    assert hermes.run("-q", "go").out == "Well.\n"
    assert len(server.model_requests[-1].body) < 400_000


def test_what_a_server_writes_about_its_key_is_not_shown(
    hermes: Hermes, server: ModelServer
) -> None:
    hostile(hermes, "tells", env={"API_KEY": "a-key-that-nobody-may-see"})
    server.say(search(""), Reply(text="Well."))
    ran = hermes.run("-q", "go")
    why = results(server)[0]["not_connected"]["bad"]
    assert "my key is ***" in why
    logs = "".join(path.read_text("utf-8") for path in (hermes.home / "logs").glob("*.log"))
    assert "nobody-may-see" not in ran.out + ran.err + logs


@pytest.mark.parametrize("way", ["plain", "stubborn", "stays"])
def test_a_server_that_clings_ends_with_the_agent(
    hermes: Hermes, server: ModelServer, way: str
) -> None:
    hostile(hermes, way)
    server.say(use("mcp_bad_good"), Reply(text="Well."))
    assert hermes.run("-q", "go").out == "Well.\n"
    assert results(server)[0]["result"] == "well"
    assert running(hermes) == []


@pytest.mark.parametrize("way", ["plain", "stays"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_no_server_outlives_an_agent_that_was_ended(
    hermes: Hermes, server: ModelServer, number: signal.Signals, way: str
) -> None:
    hostile(hermes, way)
    server.say(use("mcp_bad_good"), Reply(text="Late.", delay=60))
    with hermes.started("-q", "go") as process:
        wait(lambda: len(server.model_requests) == 2, "the second request")
        assert running(hermes) != []
        process.send_signal(number)
        wait(lambda: process.poll() is not None, "the end")
        wait(lambda: running(hermes) == [], "the servers' end")


def test_a_server_that_ended_is_noticed_though_its_child_keeps_its_output(
    hermes: Hermes, server: ModelServer
) -> None:
    hostile(hermes, "grandchild")
    server.say(
        use("mcp_bad_good"),
        Reply(text="", calls=use("mcp_bad_good").calls, delay=4),
        Reply(text="Well."),
    )
    assert hermes.run("-q", "go").out == "Well.\n"
    assert [each["result"] for each in results(server)] == ["well", "well"]
    assert running(hermes) == []
