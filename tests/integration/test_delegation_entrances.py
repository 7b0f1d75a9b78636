"""Sub-agents and programs where nobody sits at a terminal: in chats and over HTTP."""

import asyncio
import json
import os
from pathlib import Path

from tests.acceptance.test_interruption import running
from tests.gateway.house import eventually
from tests.gateway.house import house as chat_house
from tests.integration.api_house import house as api_house
from tests.integration.test_api_runs import follow, start
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Reply

WAIT = "echo $$ > {name}.pid; exec sleep 1000"


def by_child(request: Recorded) -> bool:
    return "sub-agent of Hermes" in str(request.json["messages"][0]["content"])


def delegate(*goals: str) -> Reply:
    return Reply(calls=[Call("delegate_task", {"tasks": [{"goal": goal} for goal in goals]})])


def waiting(folder: Path) -> Reply:
    command = f"cd {folder}; {WAIT.format(name='child')}"
    return Reply(calls=[Call("terminal", {"command": command})])


async def begun(folder: Path) -> int:
    """The command of a sub-agent runs; its process."""
    file = folder / "child.pid"

    def there() -> bool:
        return file.exists() and file.read_text().strip().isdigit()

    await eventually(there)
    return int(file.read_text())


async def test_stop_in_a_chat_reaches_a_sub_agents_command(home: Path, tmp_path: Path) -> None:
    async with chat_house(home) as place:
        place.model.when(by_child, waiting(tmp_path))
        place.model.say(delegate("wait"))
        await place.person.say("work")
        pid = await begun(tmp_path)
        await place.person.say("/stop")
        await place.person.sees("Stopped.")
        await place.settled()
        await eventually(lambda: not running(pid))


async def test_a_sub_agents_report_reaches_a_chat(home: Path) -> None:
    async with chat_house(home) as place:
        place.model.when(by_child, Reply(text="It is forty-two."))
        place.model.say(delegate("one", "two"), Reply(text="Both say 42."))
        await place.person.say("ask them")
        await place.person.sees("Both say 42.")
        await place.settled()
        told = json.loads(place.model.model_requests[-1].json["messages"][-1]["content"])
        assert [each["summary"] for each in told["results"]] == ["It is forty-two."] * 2


async def test_a_run_over_http_shows_their_progress_and_stops_them(
    home: Path, tmp_path: Path
) -> None:
    async with api_house(home) as at:
        at.model.when(by_child, waiting(tmp_path))
        at.model.say(delegate("wait"))
        run = await start(at)
        pid = await begun(tmp_path)
        answer = await at.http.post(f"/v1/runs/{run['id']}/stop")
        assert answer.status_code == 202
        told = await follow(at, run["id"])
        assert told[-1][1] == "run.stopped"
        assert any(name == "tool.output" and "wait" in data["text"] for _, name, data in told)
        await eventually(lambda: not running(pid))


async def test_a_program_in_a_chat_is_asked_about_and_runs(home: Path, tmp_path: Path) -> None:
    async with chat_house(home) as place:
        code = f"open({str(tmp_path / 'ran')!r}, 'w').close()"
        place.model.say(Reply(calls=[Call("execute_code", {"code": code})]), Reply(text="Done."))
        await place.person.say("run it")
        question = await place.person.sees("what that does cannot be checked")
        assert code in question.text
        assert not await asyncio.to_thread((tmp_path / "ran").exists)
        await place.person.say(press=question.buttons[0].value)
        await place.person.sees("Done.")
        assert await asyncio.to_thread(os.path.exists, tmp_path / "ran")
