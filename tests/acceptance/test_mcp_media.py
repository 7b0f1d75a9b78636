"""What servers give that is not text: models see pictures, and hear of the rest."""

import base64
import json
from typing import Any

import pytest

from tests.acceptance.hermes import Hermes
from tests.acceptance.mcp_house import SERVERS, connect, results, use
from tests.servers.mcp_media import DOT
from tests.servers.model import ModelServer
from tests.servers.recorded import Recorded
from tests.servers.script import Fault, Reply

POINT = base64.b64encode(DOT).decode()


@pytest.fixture
def media(hermes: Hermes) -> Hermes:
    connect(hermes, "media", args=[str(SERVERS / "mcp_media.py")])
    return hermes


def pictures(request: Recorded) -> list[str]:
    """The pictures that a model is shown, as addresses."""
    found: list[str] = []
    for message in request.json["messages"]:
        if isinstance(message["content"], list):
            parts: list[dict[str, Any]] = message["content"]
            found += [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return found


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ("chart", "Sales of May\n[picture 1, image/png, 70 bytes, attached]"),
        ("scan", "[scan://page/1]\n[picture 1, image/png, 70 bytes, attached]"),
        ("counted", {"points": 1}),
    ],
)
def test_a_picture_reaches_the_model_as_a_picture(
    media: Hermes, server: ModelServer, tool: str, said: object
) -> None:
    server.say(use(f"mcp_media_{tool}"), Reply(text="I see a point."))
    assert media.run("-q", "look").out == "I see a point.\n"
    assert results(server)[0]["result"] == said
    # As what it is, whatever the server says of it.
    assert pictures(server.model_requests[-1]) == [f"data:image/png;base64,{POINT}"]


def test_a_resource_that_is_a_picture_is_seen(media: Hermes, server: ModelServer) -> None:
    server.say(use("mcp_media_read_resource", uri="pictures://dot"), Reply(text="Seen."))
    media.run("-q", "look")
    assert len(pictures(server.model_requests[-1])) == 1


@pytest.mark.parametrize("wire", ["codex_responses", "anthropic_messages"])
def test_other_wires_carry_it_in_the_tools_answer(
    media: Hermes, server: ModelServer, wire: str
) -> None:
    config = media.home / "config.yaml"
    config.write_text(config.read_text().replace("model:\n", f"model:\n  api_mode: {wire}\n", 1))
    server.say(use("mcp_media_chart"), Reply(text="Seen."))
    assert media.run("-q", "look").out == "Seen.\n"
    last = server.model_requests[-1].json
    answer = json.dumps((last.get("input") or last["messages"])[-1])
    assert POINT in answer
    assert "Sales of May" in answer


def test_it_is_still_there_when_the_conversation_goes_on(
    media: Hermes, server: ModelServer
) -> None:
    server.say(use("mcp_media_chart"), Reply(text="Seen."), Reply(text="Still."))
    media.run("-q", "look")
    media.run("-q", "and now?", "-c")
    *_, before, last = server.model_requests
    assert pictures(before) == pictures(last) != []
    count = len(before.json["messages"])
    assert last.json["messages"][:count] == before.json["messages"]


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_model_that_cannot_see_is_told_so_and_answers(
    media: Hermes, server: ModelServer, status: int
) -> None:
    server.when(lambda request: bool(pictures(request)), Fault.http(status, "No images, please."))
    server.say(use("mcp_media_chart"), Reply(text="I cannot see it."), Reply(text="Nor now."))
    assert media.run("-q", "look").out == "I cannot see it.\n"
    last = server.model_requests[-1].json["messages"][-1]
    assert "1 picture(s) that this model cannot see" in last["content"]
    assert media.run("-q", "and now?", "-c").out == "Nor now.\n"


def test_what_is_neither_is_named(media: Hermes, server: ModelServer) -> None:
    server.say(use("mcp_media_odd"), Reply(text="Well."))
    media.run("-q", "look")
    (given,) = results(server)
    assert given["result"].splitlines() == [
        "[audio, audio/wav, 120 bytes, not shown]",
        "[papers://law, application/pdf, 8 bytes, not shown]",
        "[resource notes://today, Today]",
        "[picture, image/svg+xml, 6 bytes, of a kind that cannot be shown]",
        "[picture, image/png, damaged, not shown]",
    ]
    assert pictures(server.model_requests[-1]) == []


def test_pictures_without_measure_are_left_out(media: Hermes, server: ModelServer) -> None:
    server.say(use("mcp_media_many"), Reply(text="Well."))
    media.run("-q", "look")
    assert len(pictures(server.model_requests[-1])) == 8
    assert results(server)[0]["result"].count("one too many") == 53 + 1


def test_scripts_are_not_given_a_pictures_bytes_twice(media: Hermes, server: ModelServer) -> None:
    server.say(use("mcp_media_chart"), Reply(text="Seen."))
    ran = media.run("-q", "look", "--json")
    assert ran.out.count(POINT) <= 1


def test_a_server_that_asks_our_model_about_a_picture_is_refused_clearly(
    media: Hermes, server: ModelServer
) -> None:
    server.say(use("mcp_media_asks_about"), Reply(text="Well."))
    media.run("-q", "go")
    assert "Only texts are supported" in json.dumps(results(server)[0])
    assert len(server.model_requests) == 2


def test_a_refusal_for_another_reason_is_said_as_it_was(media: Hermes, server: ModelServer) -> None:
    server.say(use("mcp_media_chart"), Fault.http(400, "Bad weather."), Fault.http(400, "Hm."))
    ran = media.run("-q", "look")
    assert ran.status == 1
    assert "Bad weather." in ran.err
