"""The background review: what a person said is noted without anybody asking for it."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from tests.acceptance.hermes import Hermes
from tests.acceptance.terminal import OpenChat, needs_tmux
from tests.servers.model import ModelServer
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Reply, Usage

LIMIT = 20.0


def review(request: Recorded) -> bool:
    """Whether this is a look for what is worth noting."""
    return "keep the notes of a personal agent" in system_of(request)


def system_of(request: Recorded) -> str:
    return str(request.json["messages"][0]["content"])


def shown_to(request: Recorded) -> str:
    return str(request.json["messages"][1]["content"])


def add(content: str, target: str = "user") -> Reply:
    note = {"action": "add", "target": target, "content": content}
    return Reply(calls=[Call("memory", note)], usage=Usage(700, 30))


def turn_on(hermes: Hermes, *, interval: int = 1, flush: int = 6) -> None:
    hermes.configure(
        f"memory:\n  review: true\n  nudge_interval: {interval}\n  flush_min_turns: {flush}\n"
    )


def reviews(server: ModelServer) -> list[Recorded]:
    return [each for each in server.model_requests if review(each)]


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = monotonic() + LIMIT
    while not holds():
        assert monotonic() < deadline, what


def user_notes(hermes: Hermes) -> str:
    path: Path = hermes.home / "memories/USER.md"
    return path.read_text() if path.exists() else ""


@needs_tmux
def test_what_was_told_is_noted_after_the_answer_and_stands_in_the_next_conversation(
    hermes: Hermes, server: ModelServer, chat: OpenChat
) -> None:
    turn_on(hermes, interval=2)
    server.when(review, add("Is called Ada and drinks tea"))
    server.always(Reply(text="Nice to meet you."))
    window = chat()
    window.say("Hello there.")
    window.see("Nice to meet you.")
    window.ready().say("I am Ada, and I drink tea.")
    window.see("noted: Is called Ada and drinks tea")
    assert user_notes(hermes) == "Is called Ada and drinks tea"
    window.ready().say("And now?")
    server.wait_for_model_requests(4)
    window.ready().say("/usage")
    window.see("reviews of the whole session: 1 calls, 700 tokens in, 30 out")
    window.ready().say("/new")
    window.see("A new session begins.")
    window.ready().say("Who am I?")
    server.wait_for_model_requests(5)
    talks = [each for each in server.model_requests if not review(each)]
    assert system_of(talks[0]) == system_of(talks[1]) == system_of(talks[2])
    assert "drinks tea" not in system_of(talks[0])
    assert "drinks tea" in system_of(talks[3])
    (asked,) = reviews(server)
    assert "I am Ada, and I drink tea." in shown_to(asked)
    assert "Nice to meet you" not in shown_to(asked)
    assert [tool["function"]["name"] for tool in asked.json["tools"]] == ["memory"]
