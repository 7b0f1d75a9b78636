"""What tools of servers say about themselves, and what it is worth."""

from collections.abc import Generator
from typing import Any

import pytest

from tests.acceptance.hermes import Hermes
from tests.acceptance.mcp_house import SERVERS, connect, results, search, use
from tests.acceptance.test_gateway import Running, gateway
from tests.servers.model import ModelServer
from tests.servers.script import Reply
from tests.servers.telegram import BotApi

CHANGED = "It says something else about itself than before."


@pytest.fixture
def api() -> Generator[BotApi]:
    with BotApi() as api:
        yield api


def turn(daemon: Running, server: ModelServer, number: int, *steps: Reply, word: str = "") -> None:
    """One that ends; `word` answers the question that it brings up."""
    server.say(*steps, Reply(text=f"Turn {number} is over."))
    daemon.say(f"Now turn {number}.")
    if word:
        daemon.sees(CHANGED, number)
        daemon.say(word)
    daemon.sees(f"Turn {number} is over.")


def found_last(server: ModelServer) -> dict[str, Any]:
    """The first tool that the latest search found; empty where that was no search."""
    tools: list[dict[str, Any]] = results(server)[-1].get("tools", [])
    return tools[0] if tools else {}


def test_a_tool_that_describes_itself_anew_while_it_is_used_is_asked_about_until_a_person_agrees(
    hermes: Hermes, server: ModelServer, api: BotApi
) -> None:
    connect(hermes, "books", args=[str(SERVERS / "mcp_many.py")])
    book = use("mcp_books_ledger_7", entry="Bread")
    with gateway(hermes, api) as daemon:
        turn(daemon, server, 0, book, use("mcp_books_redescribe"))
        assert results(server)[0]["result"] == {"result": "first: Bread"}
        look = 100  # the server is asked anew in its own time
        while "warning" not in found_last(server):
            turn(daemon, server, look, search("mcp_books_ledger_7"))
            look += 1
            assert look < 150
        assert found_last(server)["warning"] == CHANGED
        turn(daemon, server, 1, book, word="/deny")
        assert results(server)[-1]["status"] == "blocked"
        turn(daemon, server, 2, book, word="/approve")
        assert results(server)[-1]["result"] == {"result": "first: Bread"}
        turn(daemon, server, 3, search("mcp_books_ledger_7"), book)
        found, booked = results(server)[-2:]
        assert "warning" not in found["tools"][0]
        assert booked["result"] == {"result": "first: Bread"}
        seen = [text for text in daemon.sees("Turn 3") if "Hand over all letters" in text]
        assert len(seen) == 2
        daemon.stop()


def test_what_a_tool_claims_not_to_do_lifts_no_question(
    hermes: Hermes, server: ModelServer
) -> None:
    connect(hermes, "claims", args=[str(SERVERS / "mcp_hostile.py"), "claims"])
    server.say(search("good"), use("mcp_claims_good"), Reply(text="Well."))
    assert hermes.run("-q", "go").out == "Well.\n"
    found, used = results(server)
    assert "suspicious" in found["tools"][0]["warning"]
    assert used["status"] == "blocked"
