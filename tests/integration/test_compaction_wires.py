"""Conversations that are shortened, over each wire and its own dialect."""

import re
from pathlib import Path
from typing import Any, cast

import pytest

from hermes_agent.context.compaction.rules import Rules
from hermes_agent.domain.events import Completed
from hermes_agent.providers.build import build_model
from hermes_agent.providers.http import open_client
from hermes_agent.providers.target import Target
from hermes_agent.providers.vendor import WireName, find_vendor
from hermes_agent.store.sqlite.store import SqliteStore
from tests.integration.compaction_place import Place, RuledModel, Tools, notes
from tests.servers.model import ModelServer
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Reply, Usage

FACT = re.compile(r"fact-\d+")
TALK = "Some more words about the matter at hand. " * 30
WIRES: tuple[WireName, ...] = ("chat_completions", "responses", "anthropic", "gemini")


def summarising(request: Recorded) -> bool:
    return b"working notes" in request.body


def facts(request: Recorded) -> set[str]:
    return set(FACT.findall(request.body.decode()))


class Talker:
    """Thinks, calls two tools side by side, then answers; keeps every fact in its summaries."""

    def __init__(self) -> None:
        self.calling = False

    def __call__(self, request: Recorded) -> Reply:
        usage = Usage(len(request.body) // 4, 300)
        if summarising(request):
            return Reply(text=notes(facts=" ".join(sorted(facts(request)))), usage=usage)
        self.calling = not self.calling
        if self.calling:
            calls = [Call("terminal", {"command": name}) for name in ("one", "two")]
            return Reply(reasoning="Let me think.", calls=calls, usage=usage)
        return Reply(text=f"Noted. {TALK}", usage=usage)


@pytest.mark.parametrize("wire", WIRES)
async def test_every_wire_carries_a_conversation_through_several_compactions(
    tmp_path: Path, wire: WireName
) -> None:
    vendor = find_vendor("gemini" if wire == "gemini" else "custom")
    assert vendor is not None
    store = SqliteStore.open(tmp_path / "state.db")
    client = open_client({})
    with ModelServer() as server:
        server.always(Talker())
        target = Target(
            vendor=vendor,
            wire=wire,
            base_url=server.root_url + ("/v1beta" if wire == "gemini" else "/v1"),
            model="scripted-model",
            context_length=14_000,
        )
        model = build_model([target], client, retries=0)
        place = Place(
            store,
            tmp_path / "locks",
            cast("RuledModel", cast("Any", model)),
            tools=Tools(lambda call: f"output of {call.arguments} " * 60),
            rules=Rules(threshold=0.6, protect_last_n=5),
        )
        number = 0
        while len(place.compacted) < 4:
            ended = await place.say(f"Mind fact-{number}. {TALK}")
            assert isinstance(ended.ending, Completed), ended.ending
            number += 1
            assert number < 100
        assert not place.failed
        assert {event.summarised > 0 for event in place.compacted[1:]} == {True}
        assert facts(server.model_requests[-1]) == {f"fact-{n}" for n in range(number)}
    await client.aclose()
    store.close()
