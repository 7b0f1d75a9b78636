"""Sub-agents in a daemon: who is asked, who may do what, and what the store has of it."""

import json
from pathlib import Path
from typing import Any

from hermes_agent.agent.control import Control
from hermes_agent.domain.asking import Approval, ApprovalRequest
from hermes_agent.domain.events import Event, ToolOutput
from hermes_agent.sessions.host import Opening
from hermes_agent.store.records import Filters
from tests.integration.test_host_lineage import Hotel, hotel
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Reply


class Person:
    """Says yes, and keeps the questions."""

    def __init__(self) -> None:
        self.asked: list[ApprovalRequest] = []

    async def approve(self, request: ApprovalRequest) -> Approval:
        self.asked.append(request)
        return "session"

    async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
        return None


def by_child(request: Recorded) -> bool:
    return "sub-agent of Hermes" in str(request.json["messages"][0]["content"])


def delegate(*goals: str) -> Reply:
    return Reply(calls=[Call("delegate_task", {"tasks": [{"goal": goal} for goal in goals]})])


async def say(place: Hotel, **more: Any) -> list[Event]:
    events: list[Event] = []
    opening = Opening(session_id="s", source="telegram", user_id="ann", **more)
    async with place.host.open(opening) as live:
        await live.run("go", Control(), events.append)
    return events


def told(place: Hotel) -> list[dict[str, Any]]:
    return json.loads(place.model.model_requests[-1].json["messages"][-1]["content"])["results"]


async def test_their_questions_go_to_the_person_of_the_session(home: Path) -> None:
    async with hotel(home) as place:
        person = Person()

        def answer(request: Recorded) -> Reply:
            if request.json["messages"][-1]["role"] == "tool":
                return Reply(text=str(request.json["messages"][-1]["content"]))
            return Reply(calls=[Call("terminal", {"command": "rm -rf gone"})])

        place.model.when(by_child, answer)
        place.model.say(delegate("a", "b"), Reply(text="Well."))
        events = await say(place, asker=person)
        assert [each.tool for each in person.asked] == ["terminal of a sub-agent"]
        assert all('"exit_code":0' in each["summary"] for each in told(place))
        shown = "".join(each.text for each in events if isinstance(each, ToolOutput))
        assert "[1] $ rm -rf gone" in shown
        # what the person allowed for the session holds for the agent itself as well
        place.model.say(
            Reply(calls=[Call("terminal", {"command": "rm -rf gone"})]), Reply(text="Well.")
        )
        await say(place, asker=person)
        assert len(person.asked) == 1


async def test_with_nobody_to_ask_they_are_denied(home: Path) -> None:
    async with hotel(home) as place:

        def answer(request: Recorded) -> Reply:
            if request.json["messages"][-1]["role"] == "tool":
                return Reply(text=str(request.json["messages"][-1]["content"]))
            return Reply(calls=[Call("terminal", {"command": "sudo true"})])

        place.model.when(by_child, answer)
        place.model.say(delegate("a"), Reply(text="Well."))
        await say(place)
        assert "Denied" in told(place)[0]["summary"]


async def test_they_have_no_more_than_the_session(home: Path) -> None:
    async with hotel(home) as place:
        place.model.when(by_child, Reply(text="Done."))
        place.model.say(delegate("a"), Reply(text="Well."))
        await say(place, toolsets=("file", "delegation"))
        (child,) = (each for each in place.model.model_requests if by_child(each))
        names = {each["function"]["name"] for each in child.json["tools"]}
        assert names == {"read_file", "write_file", "patch", "search_files"}


async def test_their_sessions_stand_below_the_conversation(home: Path) -> None:
    async with hotel(home) as place:
        place.model.when(by_child, Reply(text="Done."))
        place.model.say(delegate("a", "b"), Reply(text="Well."))
        await say(place)
        rows = [place.store.get(each.id) for each in place.store.list(Filters(source="delegate"))]
        assert {row.parent_session_id for row in rows} == {"s"}
        assert {row.user_id for row in rows} == {"ann"}
        assert {row.end_reason for row in rows} == {"completed"}
        assert [m.content for m in place.store.history(rows[0].id)][1:] == ["Done."]
