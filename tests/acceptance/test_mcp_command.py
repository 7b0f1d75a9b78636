"""`hermes mcp`: choosing tools, turning servers on and off, being one; reading them anew."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp import Client, StdioServerParameters

from tests.acceptance.hermes import Hermes
from tests.acceptance.mcp_house import SERVER, connect, results, search, use
from tests.servers.model import ModelServer
from tests.servers.script import Reply


def demo(hermes: Hermes, **settings: Any) -> None:
    connect(hermes, args=[SERVER], **settings)


def offered(hermes: Hermes) -> set[str]:
    tested = json.loads(hermes.run("mcp", "test", "demo", "--json").out)
    return {tool["name"].removeprefix("mcp_demo_") for tool in tested}


def test_tools_are_chosen_by_name(hermes: Hermes) -> None:
    demo(hermes)
    assert hermes.run("mcp", "configure", "demo", "--include", "add, echo").status == 0
    assert offered(hermes) == {"add", "echo"}
    assert hermes.run("mcp", "configure", "demo", "--exclude", "echo").status == 0
    assert offered(hermes) == {"add"}
    assert hermes.run("mcp", "configure", "demo", "--include", "", "--exclude", "").status == 0
    assert len(offered(hermes)) == 6


def test_tools_are_chosen_from_a_list(hermes: Hermes) -> None:
    demo(hermes)
    ran = hermes.run("mcp", "configure", "demo", given="none\n1 2\n\n")
    assert ran.status == 0, ran.err
    assert "1 [x] add" in ran.out
    assert offered(hermes) == {"add", "echo"}
    assert hermes.run("mcp", "configure", "demo", given="all\n\n").status == 0
    assert len(offered(hermes)) == 6
    nothing = hermes.run("mcp", "configure", "demo", given="none\n\n")
    assert (nothing.status, "mcp disable demo" in nothing.err) == (2, True)


def test_a_server_is_turned_off_and_on(hermes: Hermes) -> None:
    demo(hermes)
    assert hermes.run("mcp", "disable", "demo").status == 0
    assert json.loads(hermes.run("mcp", "list", "--json").out)[0]["enabled"] is False
    assert hermes.run("mcp", "enable", "demo").status == 0
    assert json.loads(hermes.run("mcp", "list", "--json").out)[0]["enabled"] is True
    assert hermes.run("mcp", "disable", "another").status == 1


def test_the_names_of_servers_are_completed(hermes: Hermes) -> None:
    demo(hermes)
    ran = hermes.run(
        _HERMES_COMPLETE="bash_complete", COMP_WORDS="hermes mcp disable d", COMP_CWORD="3"
    )
    assert "demo" in ran.out


def test_the_doctor_names_servers_that_cannot_be_reached(hermes: Hermes) -> None:
    demo(hermes)
    connect(hermes, "gone", url="http://127.0.0.1:9/mcp", connect_timeout=5)
    connect(hermes, "off", args=[SERVER], enabled=False)
    found = [
        (each["level"], each["text"])
        for each in json.loads(hermes.run("doctor", "--json").out)
        if each["area"] == "mcp"
    ]
    assert ("ok", "demo: 6 tools") in found
    assert ("note", "turned off: off") in found
    assert next(text for level, text in found if level == "problem").startswith(
        "gone: it cannot be reached"
    )


async def from_outside(hermes: Hermes, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """What the agent's own server gives to the library's client."""
    program = StdioServerParameters(
        command=sys.executable,
        args=["-m", "hermes_agent", "mcp", "serve"],
        env=hermes.environ,
        cwd=hermes.folder,
    )
    async with Client(program) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names == ["conversations_list", "conversation_read", "session_search", "ask"]
        return [await client.call_tool(name, arguments) for name, arguments in calls]


def data(result: types.CallToolResult) -> Any:
    assert not result.is_error, result.content
    return result.structured_content


def test_other_programs_look_into_conversations(hermes: Hermes, server: ModelServer) -> None:
    server.always(Reply(text="The heron stands in the pond."))
    hermes.run("-q", "where is the heron?")
    listed, found = asyncio.run(
        from_outside(
            hermes, ("conversations_list", {}), ("session_search", {"query": "heron pond"})
        )
    )
    (row,) = data(listed)["conversations"]
    assert data(found)["conversations"][0]["session_id"] == row["session_id"]
    (read,) = asyncio.run(
        from_outside(hermes, ("conversation_read", {"session_id": row["session_id"]}))
    )
    assert [each["role"] for each in data(read)["messages"]] == ["user", "assistant"]


def test_other_programs_ask_the_agent_and_go_on(hermes: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="One."), Reply(text="Two."))
    (first,) = asyncio.run(from_outside(hermes, ("ask", {"text": "count"})))
    session = data(first)["session"]
    assert data(first)["answer"] == "One."
    second, wrong = asyncio.run(
        from_outside(
            hermes,
            ("ask", {"text": "more", "session": session}),
            ("ask", {"text": "more", "session": "nowhere"}),
        )
    )
    assert data(second) == {"answer": "Two.", "session": session}
    assert wrong.is_error
    asked = server.model_requests[1].json["messages"]
    assert [each["content"] for each in asked if each["role"] == "user"] == ["count", "more"]


def test_one_agent_asks_another(hermes: Hermes, server: ModelServer, tmp_path: Path) -> None:
    other = Hermes(tmp_path / "other", hermes.folder, server.base_url)
    settings: dict[str, Any] = {"args": ["-m", "hermes_agent", "mcp", "serve"]}
    connect(hermes, "friend", **settings, env={"HERMES_HOME": str(other.home)})
    server.say(
        search("ask the agent"),
        use("mcp_friend_ask", text="hello"),
        Reply(text="I am the friend."),
        Reply(text="Well."),
    )
    assert hermes.run("-q", "go").out == "Well.\n"
    assert results(server)[1]["result"]["answer"] == "I am the friend."
    assert json.loads(other.run("sessions", "list", "--json").out)


@pytest.mark.parametrize("words", [("serve", "--help"), ("login", "--help"), ("--help",)])
def test_the_help_stands_without_the_library(hermes: Hermes, words: tuple[str, ...]) -> None:
    assert hermes.run("mcp", *words).status == 0
