"""A conversation that grows too long is shortened, and goes on."""

import json
from typing import Any

from tests.acceptance.hermes import Hermes
from tests.acceptance.terminal import OpenChat, needs_tmux
from tests.servers.model import ModelServer
from tests.servers.recorded import Recorded
from tests.servers.script import Fault, Reply, Usage

WINDOW = 20_000
TURNS = 9
NOTES = """## Goal
{goal}
## Constraints and preferences
none
## Decisions
none
## Facts
{facts}
## Files
none
## Done
none
## In progress
none
## Open questions
none
## Next steps
none"""


def summarising(request: Recorded) -> bool:
    """Whether this is the request for a summary."""
    return "working notes" in system_of(request)


def system_of(request: Recorded) -> str:
    """The system prompt of a request."""
    return str(request.json["messages"][0]["content"])


def said_to(request: Recorded) -> str:
    """All that a model was shown, the system prompt left out."""
    return "\n".join(str(each["content"]) for each in request.json["messages"][1:])


def facts_in(text: str) -> list[str]:
    """The planted facts, in order."""
    found = [word.strip(".,") for word in text.split() if word.startswith("fact-")]
    return sorted(set(found))


def summary(request: Recorded) -> Reply:
    """Notes with every fact that the model was shown."""
    facts = "\n".join(f"- {fact}" for fact in facts_in(said_to(request)))
    return Reply(text=NOTES.format(goal="remember", facts=facts), usage=Usage(900, 120))


def answer(request: Recorded) -> Reply:
    """A plain answer, with the tokens counted as a real vendor would."""
    return Reply(text="Noted. " + "I keep that in mind. " * 40, usage=counted(request, 220))


def counted(request: Recorded, output: int) -> Usage:
    return Usage(len(request.body) // 4, output)


def sessions(hermes: Hermes) -> list[dict[str, Any]]:
    """The stored sessions, the oldest first."""
    listed = json.loads(hermes.run("sessions", "list", "--json").out)
    return sorted(listed, key=lambda each: each["started_at"])


def shown(hermes: Hermes, session_id: str) -> dict[str, Any]:
    return json.loads(hermes.run("sessions", "show", session_id, "--json").out)


def narrow(hermes: Hermes) -> None:
    """A small window, so that a conversation is soon too long."""
    text = (hermes.home / "config.yaml").read_text()
    text = text.replace("model:\n", f"model:\n  context_length: {WINDOW}\n")
    (hermes.home / "config.yaml").write_text(
        text + "compression:\n  threshold: 0.6\n  protect_last_n: 4\n"
    )


def turn(hermes: Hermes, number: int, *more: str) -> str:
    """One turn in which a fact is planted."""
    words = f"Remember fact-{number:03d}. " + f"Some words about number {number}. " * 200
    done = hermes.run("-q", words, *more)
    assert done.status == 0, done.err
    return done.err


def test_a_long_conversation_goes_on_in_a_child_and_keeps_what_was_said(
    hermes: Hermes, server: ModelServer
) -> None:
    narrow(hermes)
    server.when(summarising, summary)
    server.always(answer)
    turn(hermes, 0)
    first = sessions(hermes)[0]["id"]
    assert hermes.run("sessions", "rename", first, "Long talk").status == 0
    told = ""
    for number in range(1, TURNS):
        told += turn(hermes, number, "-r", "Long talk")
    stored = sessions(hermes)
    assert len(stored) > 1, told
    assert [each["title"] for each in stored[:2]] == ["Long talk", "Long talk #2"]
    assert "Shortened from" in told
    assert shown(hermes, first)["end_reason"] == "compression"
    assert shown(hermes, stored[1]["id"])["parent_session_id"] == first
    last = server.model_requests[-1]
    assert facts_in(said_to(last)) == [f"fact-{number:03d}" for number in range(TURNS)]
    for number in range(TURNS):
        hits = json.loads(hermes.run("sessions", "search", f"fact-{number:03d}", "--json").out)
        assert any(hit["role"] == "user" for hit in hits)


def test_a_summary_that_fails_takes_nothing_and_is_not_paid_for_again_at_once(
    hermes: Hermes, server: ModelServer
) -> None:
    narrow(hermes)
    asked: list[Recorded] = []

    def nonsense(request: Recorded) -> Reply:
        asked.append(request)
        return Reply(text="I am sorry, I cannot do that.", usage=Usage(900, 10))

    server.when(summarising, nonsense)
    server.always(answer)
    turn(hermes, 0)
    told = ""
    for number in range(1, TURNS):
        told += turn(hermes, number, "-c")
    assert "was not shortened" in told
    assert "of no use" in told
    assert len(asked) == 2
    assert len(sessions(hermes)) == 1
    assert facts_in(said_to(server.model_requests[-1])) == [f"fact-{n:03d}" for n in range(TURNS)]


def test_a_vendor_that_finds_the_conversation_too_long_is_asked_again_with_less(
    hermes: Hermes, server: ModelServer
) -> None:
    refused: list[int] = []

    def picky(request: Recorded) -> Reply | Fault:
        if len(request.body) > 41_500 and not summarising(request):
            refused.append(len(request.body))
            return Fault.context_overflow()
        return summary(request) if summarising(request) else answer(request)

    server.always(picky)
    turn(hermes, 0)
    for number in range(1, TURNS):
        turn(hermes, number, "-c")
    assert len(refused) == 1
    assert len(sessions(hermes)) == 2
    assert facts_in(said_to(server.model_requests[-1])) == [f"fact-{n:03d}" for n in range(TURNS)]


def test_another_model_writes_the_summaries_when_one_is_configured(
    hermes: Hermes, server: ModelServer
) -> None:
    narrow(hermes)
    with ModelServer() as writer:
        hermes.configure(
            "auxiliary:\n  compression:\n    provider: custom\n    model: small-writer\n"
            f"    base_url: {writer.base_url}\n"
        )
        assert "compression" not in hermes.run("config", "check").out
        writer.always(summary)
        server.always(answer)
        turn(hermes, 0)
        for number in range(1, TURNS):
            turn(hermes, number, "-c")
        assert {each.model for each in writer.model_requests} == {"small-writer"}
        assert not any(summarising(each) for each in server.model_requests)
        assert facts_in(said_to(server.model_requests[-1])) == [
            f"fact-{n:03d}" for n in range(TURNS)
        ]


def test_a_model_that_is_only_named_is_one_of_the_same_vendor(
    hermes: Hermes, server: ModelServer
) -> None:
    narrow(hermes)
    assert hermes.run("config", "set", "auxiliary.compression.model", "small-writer").status == 0
    server.when(summarising, summary)
    server.always(answer)
    turn(hermes, 0)
    for number in range(1, TURNS):
        turn(hermes, number, "-c")
    writers = {each.model for each in server.model_requests if summarising(each)}
    assert writers == {"small-writer"}


def test_scripts_are_told_where_the_conversation_goes_on(
    hermes: Hermes, server: ModelServer
) -> None:
    narrow(hermes)
    server.when(summarising, summary)
    server.always(answer)
    turn(hermes, 0)
    number, found = 0, None
    while found is None:
        number += 1
        words = f"Remember fact-{number:03d}. " + "Some words. " * 600
        events = hermes.run("-q", words, "-c", "--json").events
        found = next((each for each in events if each["type"] == "compacted"), None)
        assert number < 60
    newest = sessions(hermes)[-1]["id"]
    assert found["session_id"] == newest
    assert (
        hermes.run("-q", "hello", "-r", found["parent_id"], "--quiet").out.strip().endswith(newest)
    )


def test_turned_off_nothing_is_shortened(hermes: Hermes, server: ModelServer) -> None:
    narrow(hermes)
    assert hermes.run("config", "set", "compression.enabled", "false").status == 0
    server.when(summarising, summary)
    server.always(answer)
    turn(hermes, 0)
    for number in range(1, TURNS):
        turn(hermes, number, "-c")
    assert len(sessions(hermes)) == 1


@needs_tmux
def test_in_the_terminal_a_person_shortens_by_hand(
    hermes: Hermes, server: ModelServer, chat: OpenChat
) -> None:
    server.when(summarising, summary)
    server.always(answer)
    window = chat()
    for number in range(6):
        window.say(f"Remember fact-{number:03d}.")
        window.see("I keep that in mind.")
        window.ready()
    window.say("/compress the colours")
    window.see("Shortened from")
    window.ready().say("/context")
    window.see("is shortened at")
    window.ready().say("/title")
    window.ready().say("And now?")
    window.see("Noted.")
    window.ready().say("/usage")
    window.see("last request")
    assert facts_in(said_to(server.model_requests[-1])) == [f"fact-{n:03d}" for n in range(6)]
    assert len(sessions(hermes)) == 2


@needs_tmux
def test_a_summary_on_its_way_can_be_stopped(
    hermes: Hermes, server: ModelServer, chat: OpenChat
) -> None:
    server.when(summarising, Fault.hang())
    server.always(answer)
    window = chat()
    for number in range(6):
        window.say(f"Remember fact-{number:03d}.")
        window.see("I keep that in mind.")
        window.ready()
    window.say("/compress")
    window.see("shortening it")
    server.wait_for_model_requests(7)
    window.type("C-c")
    window.see("Stopped.")
    window.ready().say("And now?")
    window.ready()
    server.wait_for_model_requests(8)
    assert facts_in(said_to(server.model_requests[-1])) == [f"fact-{n:03d}" for n in range(6)]
    assert len(sessions(hermes)) == 1
