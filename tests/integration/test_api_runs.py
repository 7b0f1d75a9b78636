"""Runs: started, followed, asked about, answered, stopped."""

import json
import threading
from pathlib import Path
from typing import Any

import httpx2

from tests.integration.api_house import House, house
from tests.servers.script import Call, Reply

RISKY = Call("terminal", {"command": "rm -rf nothing-is-here"})
Told = list[tuple[int, str, dict[str, Any]]]


async def follow(at: House, run_id: str, *, after: int = 0, until: str = "") -> Told:
    """The events of a run to its end, or to the first called `until`."""
    told: Told = []
    number, name = 0, ""
    wanted = {"last-event-id": str(after)} if after else {}
    async with at.http.stream("GET", f"/v1/runs/{run_id}/events", headers=wanted) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                told.append((number, name, json.loads(line[6:])))
                if name == until:
                    break
    return told


async def start(at: House, text: str = "go", **more: Any) -> dict[str, Any]:
    answer = await at.http.post("/v1/runs", json={"input": text, **more})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_a_run_tells_its_events_and_ends_with_its_output(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(calls=[Call("todo", {"todos": []})]), Reply(text="Done."))
        run = await start(at)
        told = await follow(at, run["id"])
        names = [name for _, name, _ in told]
        assert names[0] == "run.started"
        assert names[-1] == "run.completed"
        assert "tool.started" in names
        assert "tool.completed" in names
        now = (await at.http.get(f"/v1/runs/{run['id']}")).json()
        assert (now["status"], now["output"]) == ("completed", "Done.")
        assert now["usage"]["total_tokens"] > 0


async def test_events_are_told_again_from_the_last_one_seen(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="One two three four.", chunks=3))
        run = await start(at)
        told = await follow(at, run["id"])
        assert [number for number, _, _ in told] == list(range(1, len(told) + 1))
        assert await follow(at, run["id"], after=3) == told[3:]
        over = await at.http.get(
            f"/v1/runs/{run['id']}/events", headers={"last-event-id": str(len(told))}
        )
        assert (over.status_code, over.content) == (204, b"")


async def test_a_command_waits_for_approval_and_runs_with_it(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(calls=[RISKY]), Reply(text="Removed."))
        run = await start(at)
        told = await follow(at, run["id"], until="approval.request")
        asked = told[-1][2]
        assert "rm -rf" in asked["text"]
        now = (await at.http.get(f"/v1/runs/{run['id']}")).json()
        assert now["status"] == "waiting_for_approval"
        assert now["questions"][0]["id"] == asked["id"]
        bad = await at.http.post(f"/v1/runs/{run['id']}/approval", json={"decision": "perhaps"})
        assert bad.status_code == 400
        good = await at.http.post(
            f"/v1/runs/{run['id']}/approval", json={"question_id": asked["id"], "decision": "once"}
        )
        assert good.status_code == 200
        rest = await follow(at, run["id"], after=told[-1][0])
        done = next(data for _, name, data in rest if name == "tool.completed")
        assert done["status"] == "ok"
        assert rest[-1][2]["output"] == "Removed."
        late = await at.http.post(f"/v1/runs/{run['id']}/approval", json={"decision": "once"})
        assert late.status_code == 409


async def test_an_approval_that_nobody_gives_in_time_is_a_denial(home: Path) -> None:
    async with house(home, approval_time=0.05) as at:
        at.model.say(Reply(calls=[RISKY]), Reply(text="Then not."))
        run = await start(at)
        told = await follow(at, run["id"])
        resolved = next(data for _, name, data in told if name == "approval.resolved")
        assert (resolved["answered"], resolved["decision"]) == (False, "deny")
        done = next(data for _, name, data in told if name == "tool.completed")
        assert done["status"] == "denied"


async def test_chat_completions_have_nobody_to_ask_so_the_answer_is_no(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(calls=[RISKY]), Reply(text="I may not."))
        answer = await at.client.chat.completions.create(
            model="hermes-agent", messages=[{"role": "user", "content": "remove it"}]
        )
        assert answer.choices[0].message.content == "I may not."
        results = [
            m for m in at.model.model_requests[-1].payload["messages"] if m["role"] == "tool"
        ]
        assert "denied" in results[0]["content"].lower()


async def test_a_question_of_the_agent_is_answered_with_words(home: Path) -> None:
    async with house(home) as at:
        question = Call("clarify", {"question": "Which one?", "choices": ["red", "blue"]})
        at.model.say(Reply(calls=[question]), Reply(text="Blue it is."))
        run = await start(at)
        told = await follow(at, run["id"], until="clarify.request")
        assert told[-1][2]["text"] == "Which one?"
        await at.http.post(f"/v1/runs/{run['id']}/approval", json={"answer": "blue"})
        rest = await follow(at, run["id"], after=told[-1][0])
        assert rest[-1][2]["output"] == "Blue it is."
        assert "blue" in json.dumps(at.model.model_requests[-1].payload["messages"][-1])


async def test_a_stopped_run_says_so_and_leaves_a_whole_history(home: Path) -> None:
    async with house(home) as at:
        hold = threading.Event()
        try:
            at.model.say(Reply(text="A long story that never ends.", hold=hold))
            run = await start(at)
            await follow(at, run["id"], until="message.delta")
            answer = await at.http.post(f"/v1/runs/{run['id']}/stop")
            assert answer.status_code == 202
            told = await follow(at, run["id"])
            assert told[-1][1] == "run.stopped"
            roles = [message.role for message in at.store.history(run["session_id"])]
            assert roles == ["user", "assistant"]
        finally:
            hold.set()


async def test_a_run_goes_on_in_a_stored_session(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="one"), Reply(text="two"))
        first = await start(at, "a")
        await follow(at, first["id"])
        second = await start(at, "b", session_id=first["session_id"])
        await follow(at, second["id"])
        assert [m.content for m in at.store.history(first["session_id"])] == [
            "a",
            "one",
            "b",
            "two",
        ]
        unknown = await at.http.post("/v1/runs", json={"input": "x", "session_id": "nope"})
        assert unknown.status_code == 404


async def test_what_is_no_run_is_not_found(home: Path) -> None:
    async with house(home) as at:
        found: list[httpx2.Response] = [
            await at.http.get("/v1/runs/run_x"),
            await at.http.get("/v1/runs/run_x/events"),
            await at.http.post("/v1/runs/run_x/stop"),
            await at.http.post("/v1/runs/run_x/approval", json={"decision": "once"}),
        ]
        assert [each.status_code for each in found] == [404] * 4
