"""Resources, prompts, sampling, changes and restarts, over every transport; the servers are of the
protocol's library."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from tests.acceptance.hermes import Hermes
from tests.acceptance.mcp_house import SERVERS, connect, free_port, results, search, served, use
from tests.servers.model import ModelServer
from tests.servers.script import Reply, Usage

RICH = str(SERVERS / "mcp_rich.py")


def rich(hermes: Hermes, **settings: Any) -> None:
    connect(hermes, "rich", args=[RICH, "stdio"], **settings)


def test_resources_are_tools_found_by_search(hermes: Hermes, server: ModelServer) -> None:
    rich(hermes)
    server.say(
        search("resources"),
        use("mcp_rich_list_resources"),
        use("mcp_rich_read_resource", uri="notes://today"),
        use("mcp_rich_read_resource", uri="notes://day/monday"),
        Reply(text="Well."),
    )
    assert hermes.run("-q", "go").out == "Well.\n"
    found, listed, today, monday = results(server)
    assert "mcp_rich_list_resources" in [each["name"] for each in found["tools"]]
    assert listed["result"]["resources"][0]["uri"] == "notes://today"
    assert listed["result"]["templates"][0]["uri"] == "notes://day/{name}"
    assert "Water the plants." in today["result"]
    assert "Nothing on monday." in monday["result"]


def test_prompts_are_tools_found_by_search(hermes: Hermes, server: ModelServer) -> None:
    rich(hermes)
    server.say(
        use("mcp_rich_list_prompts"),
        use("mcp_rich_get_prompt", name="summary", arguments={"topic": "bees"}),
        Reply(text="Well."),
    )
    hermes.run("-q", "go")
    listed, got = results(server)
    assert listed["result"]["prompts"][0]["arguments"] == [{"name": "topic", "required": True}]
    assert "Sum up bees, please." in got["result"]


def test_resources_and_prompts_can_be_left_out(hermes: Hermes, server: ModelServer) -> None:
    rich(hermes, tools={"resources": False, "prompts": False})
    server.say(search("resources prompts list"), Reply(text="Well."))
    hermes.run("-q", "go")
    names = [each["name"] for each in results(server)[0].get("tools", [])]
    assert not [name for name in names if "resource" in name or "prompt" in name]


def test_a_resource_that_is_not_there_is_an_error_of_that_call(
    hermes: Hermes, server: ModelServer
) -> None:
    rich(hermes)
    server.say(
        use("mcp_rich_read_resource", uri="notes://nowhere/at/all"),
        use("mcp_rich_read_resource"),
        use("mcp_rich_add", a=1, b=1),
        Reply(text="Well."),
    )
    hermes.run("-q", "go")
    missing, empty, added = results(server)
    assert "refused" in missing["error"]
    assert "uri is missing" in empty["error"]
    assert added["result"] == {"result": 2}


def test_a_server_asks_our_model_within_its_limits(hermes: Hermes, server: ModelServer) -> None:
    rich(hermes, sampling={"max_tokens_cap": 50})
    server.say(
        use("mcp_rich_ask_model", most=4000),
        Reply(text="Canberra.", usage=Usage(input=7, output=3)),
        Reply(text="Well."),
    )
    assert hermes.run("-q", "go").out == "Well.\n"
    answered = results(server)[0]["result"]
    assert answered == {"model": "scripted-model", "said": "Canberra."}
    asked = server.model_requests[1].json
    assert [each["role"] for each in asked["messages"]] == ["system", "user"]
    assert "tools" not in asked
    assert 50 in (asked.get("max_tokens"), asked.get("max_completion_tokens"))
    with sqlite3.connect(hermes.home / "state.db") as db:
        query = "SELECT input_tokens, output_tokens FROM sessions WHERE source = 'mcp'"
        assert db.execute(query).fetchall() == [(7, 3)]
    db.close()


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        ({"enabled": False}, ""),
        ({"max_rpm": 0}, "requests a minute"),
        ({"allowed_models": ["another"]}, "No model that this server may use"),
    ],
)
def test_what_a_server_may_not_ask_is_refused_politely(
    hermes: Hermes, server: ModelServer, sampling: dict[str, Any], said: str
) -> None:
    rich(hermes, sampling=sampling)
    server.say(use("mcp_rich_ask_model"), use("mcp_rich_add", a=1, b=1), Reply(text="Well."))
    assert hermes.run("-q", "go").out == "Well.\n"
    asked, added = results(server)
    assert asked.get("error") or asked["status"] == "error"
    assert said in json.dumps(asked)
    assert added["result"] == {"result": 2}
    assert len(server.model_requests) == 3


def test_a_model_that_a_server_may_ask_for_answers_it(hermes: Hermes, server: ModelServer) -> None:
    rich(hermes, sampling={"allowed_models": ["small"]})
    server.say(use("mcp_rich_ask_model", hint="small"), Reply(text="Yes."), Reply(text="Well."))
    hermes.run("-q", "go")
    assert results(server)[0]["result"]["model"] == "small"
    assert server.model_requests[1].json["model"] == "small"


def test_a_model_that_takes_too_long_for_a_server_is_given_up(
    hermes: Hermes, server: ModelServer
) -> None:
    rich(hermes, sampling={"timeout": 1})
    server.say(use("mcp_rich_ask_model"), Reply(text="Late.", delay=20), Reply(text="Well."))
    assert hermes.run("-q", "go").out == "Well.\n"
    assert "too long" in json.dumps(results(server)[0])


def test_a_server_cannot_ask_the_person(hermes: Hermes, server: ModelServer) -> None:
    rich(hermes)
    server.say(use("mcp_rich_ask_person"), use("mcp_rich_add", a=1, b=1), Reply(text="Well."))
    hermes.run("-q", "go")
    asked, added = results(server)
    assert "password" not in json.dumps(asked.get("result", ""))
    assert added["result"] == {"result": 2}


@pytest.fixture(params=["http", "sse"])
def at_address(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """A server at an address, and its port; only who has the key gets in."""
    port = free_port()
    os.environ["KEY"] = "let-me-in-4711"
    try:
        with served("mcp_rich.py", request.param, str(port), port=port):
            yield request.param, port
    finally:
        del os.environ["KEY"]


HEADERS = {"X-Key": "let-me-in-4711"}


def test_a_server_at_an_address_is_reached_with_headers_whatever_it_speaks(
    hermes: Hermes, server: ModelServer, at_address: tuple[str, int]
) -> None:
    _, port = at_address
    connect(hermes, "rich", url=f"http://127.0.0.1:{port}/mcp", headers=HEADERS)
    server.say(
        use("mcp_rich_add", a=2, b=3),
        use("mcp_rich_read_resource", uri="notes://today"),
        Reply(text="Well."),
    )
    hermes.run("-q", "go")
    added, read = results(server)
    assert added["result"] == {"result": 5}
    assert "Water the plants." in read["result"]


def test_a_server_that_lets_nobody_in_says_so_and_keeps_the_key(
    hermes: Hermes, server: ModelServer, at_address: tuple[str, int]
) -> None:
    _, port = at_address
    url = f"http://someone:secret-word@127.0.0.1:{port}/mcp?token=another-secret"
    connect(hermes, "rich", url=url, headers={"X-Key": "wrong-key-0815"})
    server.say(search(""), Reply(text="Well."))
    ran = hermes.run("-q", "go")
    told = json.dumps(results(server)[0])
    assert "HTTP 403" in told
    logs = "".join(path.read_text("utf-8") for path in (hermes.home / "logs").glob("*.log"))
    listed = hermes.run("mcp", "list").out
    for secret in ("wrong-key-0815", "secret-word", "another-secret"):
        assert secret not in told + ran.out + ran.err + logs + listed


@pytest.mark.parametrize("transport", ["stdio", "http", "sse"])
def test_a_tool_that_appears_is_found_without_connecting_anew(
    hermes: Hermes, server: ModelServer, transport: str
) -> None:
    port = free_port()
    server.say(
        use("mcp_rich_grow"),
        *(search("appeared later") for _ in range(20)),
        use("mcp_rich_grown"),
        Reply(text="Well."),
    )
    if transport == "stdio":
        rich(hermes)
        hermes.run("-q", "go")
    else:
        connect(hermes, "rich", url=f"http://127.0.0.1:{port}/mcp")
        with served("mcp_rich.py", transport, str(port), port=port):
            hermes.run("-q", "go")
    assert results(server)[-1]["result"] in ({"result": "grown"}, "grown")


@pytest.mark.parametrize("transport", ["http", "sse"])
def test_a_server_that_is_started_anew_is_used_again(
    hermes: Hermes, server: ModelServer, transport: str
) -> None:
    port = free_port()
    connect(hermes, "rich", url=f"http://127.0.0.1:{port}/mcp")
    reached, hold = threading.Event(), threading.Event()
    second = use("mcp_rich_add", a=2, b=2)
    server.say(
        use("mcp_rich_add", a=1, b=1),
        replace(second, hold=hold, reached=reached, hold_after=0),
        Reply(text="Well."),
    )
    with ExitStack() as stack:
        first = stack.enter_context(ExitStack())
        first.enter_context(served("mcp_rich.py", transport, str(port), port=port))
        process = stack.enter_context(hermes.started("-q", "go"))
        assert reached.wait(30)
        first.close()
        stack.enter_context(served("mcp_rich.py", transport, str(port), port=port))
        hold.set()
        process.wait(60)
    assert results(server)[1]["result"] == {"result": 4}
