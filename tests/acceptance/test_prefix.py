"""The fixed part of a request: small with everything connected, and the same bytes for as long as
a conversation lasts."""

import json
from collections.abc import Generator, Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest

from tests.acceptance.hermes import Hermes
from tests.acceptance.mcp_house import SERVER, SERVERS, connect, search, use
from tests.acceptance.terminal import OpenChat, needs_tmux
from tests.acceptance.test_gateway import Running, gateway
from tests.servers.model import ModelServer
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Reply
from tests.servers.telegram import BotApi

MANY = str(SERVERS / "mcp_many.py")
TURNS = 50
MOST = 16_000
"""Bytes of system prompt and tools together."""
NOTES = {
    "MEMORY.md": ("The office printer is called Gutenberg.", "Backups run at three at night."),
    "USER.md": ("Prefers tabs.", "Answers in English, please.", "Lives in Lisbon."),
}


@pytest.fixture
def api() -> Generator[BotApi]:
    with BotApi() as api:
        yield api


@pytest.fixture
def settled(hermes: Hermes) -> Hermes:
    """A home with notes, a skill of its own beside the bundled ones, and two hundred tools."""
    (hermes.home / "memories").mkdir(mode=0o700)
    for name, entries in NOTES.items():
        (hermes.home / "memories" / name).write_text("\n§\n".join(entries))
    skill = hermes.home / "skills" / "bread"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text(
        "---\nname: bread\ndescription: How we bake bread.\n---\nBegin with the water.\n"
    )
    connect(hermes, "books", args=[MANY])
    return hermes


def fixed(request: Recorded) -> bytes:
    """System prompt and tools, with the very bytes that were sent."""
    body = request.body.decode()
    pieces = [_value(body, '"role":"system","content":'), _value(body, '"tools":')]
    found = [json.loads(piece) for piece in pieces]
    assert found == [request.json["messages"][0]["content"], request.json["tools"]]
    return "".join(pieces).encode()


def _value(body: str, key: str) -> str:
    start = body.index(key) + len(key)
    _, end = json.JSONDecoder().raw_decode(body, start)
    return body[start:end]


def said(request: Recorded) -> bytes:
    """The body until behind the last message."""
    return request.body[: _end_of_messages(request.body.decode())]


def _end_of_messages(body: str) -> int:
    start = body.index('"messages":') + len('"messages":')
    _, end = json.JSONDecoder().raw_decode(body, start)
    return len(body[: end - 1].encode())


def holds(requests: Sequence[Recorded]) -> None:
    """Each request begins with all of the one before, and none has another fixed part."""
    assert {fixed(each) for each in requests} == {fixed(requests[0])}
    for earlier, later in pairwise(requests):
        assert later.body.startswith(said(earlier))
    assert len(fixed(requests[0])) < MOST


def results(request: Recorded) -> list[dict[str, Any]]:
    """What the calls before this request gave."""
    found: list[dict[str, Any]] = []
    for message in reversed(request.json["messages"]):
        if message["role"] != "tool":
            break
        found.insert(0, json.loads(message["content"]))
    return found


def busy_turns(count: int) -> Iterator[tuple[Reply, ...]]:
    """Calls of every kind, over and over; what the model does in each turn before it answers."""
    for number in range(count):
        note = {"action": "add", "target": "memory", "content": f"Learned in turn {number}."}
        skill = f"---\nname: way-{number}\ndescription: Way {number}.\n---\nGo.\n"
        made = {"action": "create", "name": f"way-{number}", "content": skill}
        yield (
            (search(f"ledger {number}"), use(f"mcp_books_ledger_{number}", entry="Bread")),
            (Reply(calls=[Call("memory", note)]),),
            (Reply(calls=[Call("skill_view", {"name": "bread"})]),),
            (Reply(calls=[Call("skill_manage", made)]), Reply(calls=[Call("skills_list", {})])),
            (),
        )[number % 5]


def play(daemon: Running, server: ModelServer, number: int, *steps: Reply) -> list[Recorded]:
    """A turn; the requests that it made."""
    before = len(server.model_requests)
    server.say(*steps, Reply(text=f"Done with turn {number}."))
    daemon.say(f"Now do turn {number}.")
    daemon.sees(f"Done with turn {number}.")
    return server.model_requests[before:]


def test_two_hundred_tools_skills_and_notes_stay_small_and_the_same_for_fifty_turns(
    settled: Hermes, server: ModelServer, api: BotApi
) -> None:
    with gateway(settled, api) as daemon:
        (looked,) = (
            results(each)[0]
            for each in play(daemon, server, 1000, search(""))
            if each.json["messages"][-1]["role"] == "tool"
        )
        assert looked["servers"] == {"books": 204}
        for number, steps in enumerate(busy_turns(TURNS - 1)):
            made = play(daemon, server, number, *steps)
            assert len(made) == len(steps) + 1
            assert all("error" not in each for each in results(made[-1])), results(made[-1])
        daemon.stop()
    requests = server.model_requests
    holds(requests)
    system = requests[0].json["messages"][0]["content"]
    assert "Gutenberg" in system
    assert "- bread: How we bake bread." in system
    assert "- systemd-service: " in system
    assert "books" in system
    assert "ledger_1" not in json.dumps(requests[0].json["tools"])
    kept = (settled.home / "memories" / "MEMORY.md").read_text()
    assert "Learned in turn 46." in kept
    assert "Learned in turn" not in system


def test_a_server_that_changes_and_servers_read_anew_change_nothing_before_the_new_words(
    settled: Hermes, server: ModelServer, api: BotApi
) -> None:
    with gateway(settled, api) as daemon:
        play(daemon, server, 1, use("mcp_books_ledger_7", entry="Bread"), use("mcp_books_grow"))
        look = 100  # the server is asked anew in its own time
        while "abacus" not in str(results(play(daemon, server, look, search("beads"))[-1])):
            look += 1
            assert look < 150
        *_, last = play(daemon, server, 2, use("mcp_books_abacus"))
        assert results(last)[-1]["result"] == {"result": "counted"}
        connect(settled, "demo", args=[SERVER])
        daemon.say("/reload-mcp")
        daemon.sees("MCP servers: books, demo.")
        *_, last = play(daemon, server, 3, search("add numbers"), use("mcp_demo_add", a=2, b=3))
        assert results(last)[-1]["result"] == {"result": 5}
        running = server.model_requests
        holds(running)
        assert "demo" not in running[-1].json["messages"][0]["content"]
        daemon.say("/new")
        daemon.sees("session")
        (first,) = play(daemon, server, 4)
        assert "books, demo" in first.json["messages"][0]["content"]
        daemon.stop()


def test_the_first_server_brings_a_conversation_two_tools_and_its_prompt_stays(
    hermes: Hermes, server: ModelServer, api: BotApi
) -> None:
    with gateway(hermes, api) as daemon:
        play(daemon, server, 1)
        connect(hermes, "demo", args=[SERVER])
        daemon.say("/reload-mcp")
        daemon.sees("MCP servers: demo. New: demo; here, too, its tools are found")
        before, *_, last = [
            *server.model_requests,
            *play(daemon, server, 2, use("mcp_demo_add", a=2, b=3)),
        ]
        assert results(last)[-1]["result"] == {"result": 5}
        assert before.json["messages"][0] == last.json["messages"][0]
        new = [tool for tool in last.json["tools"] if tool not in before.json["tools"]]
        assert [tool["function"]["name"] for tool in new] == ["tool_search", "tool_use"]
        assert [tool for tool in last.json["tools"] if tool not in new] == before.json["tools"]
        daemon.stop()


@needs_tmux
def test_in_the_terminal_what_is_read_anew_leaves_the_conversations_beginning_alone(
    hermes: Hermes, server: ModelServer, chat: OpenChat
) -> None:
    server.always(Reply(text="Well."))
    window = chat()
    window.say("Hello.")
    window.see("Well.")
    connect(hermes, "demo", args=[SERVER])
    window.ready().say("/reload-mcp")
    window.see("Conversations that begin now can use them (/new).")
    window.ready().say("And again.")
    holds(server.wait_for_model_requests(2))
    window.ready().say("/new")
    window.see("A new session begins.")
    window.ready().say("Hello.")
    new = server.wait_for_model_requests(3)[-1].json
    assert "# Servers with more tools\ndemo" in new["messages"][0]["content"]
    assert "tool_use" in [tool["function"]["name"] for tool in new["tools"]]


@pytest.mark.parametrize("wire", ["chat_completions", "codex_responses", "anthropic_messages"])
def test_a_conversation_of_several_processes_begins_with_the_same_bytes_on_every_wire(
    settled: Hermes, server: ModelServer, wire: str
) -> None:
    config = settled.home / "config.yaml"
    config.write_text(config.read_text().replace("model:\n", f"model:\n  api_mode: {wire}\n", 1))
    for number, steps in enumerate(busy_turns(5)):
        server.say(*steps, Reply(text="Done."))
        again = ("-c",) if number else ()
        ran = settled.run("-q", f"Now do turn {number}.", *again)
        assert (ran.status, ran.out) == (0, "Done.\n"), ran.err
    requests = server.model_requests
    assert len(requests) == 11
    parts = {json.dumps(fixed_parts(each)) for each in requests}
    assert len(parts) == 1
    (only,) = parts
    assert len(only.encode()) < MOST
    for earlier, later in pairwise(map(talk, requests)):
        assert later[: len(earlier)] == earlier


def fixed_parts(request: Recorded) -> list[Any]:
    """System prompt and tools, wherever the dialect has them, in the order in which they came."""
    body = request.json
    if request.dialect == "chat":
        return [body["messages"][0], body["tools"]]
    return [body["instructions" if request.dialect == "responses" else "system"], body["tools"]]


def talk(request: Recorded) -> list[Any]:
    """The messages, without the marks that say how much of them to keep in the cache."""
    body = request.json
    messages = body["input"] if request.dialect == "responses" else body["messages"]
    return json.loads(json.dumps(messages), object_hook=_unmarked)


def _unmarked(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "cache_control"}
