import asyncio
import json
from pathlib import Path

import msgspec

from hermes_agent.domain.errors import DeniedError
from hermes_agent.domain.messages import ToolCall
from hermes_agent.tools.contract import Limits, ToolContext
from hermes_agent.tools.schema import load
from tests.unit.tools.room import bench, quiet

TOOLS = ("terminal", "process")


async def test_a_command_gives_output_and_exit_code(tmp_path: Path) -> None:
    async with bench(tmp_path, tools=TOOLS) as call:
        assert await call("terminal", command="pwd; exit 3") == {
            "output": f"{tmp_path}\n",
            "exit_code": 3,
            "error": None,
        }


async def test_time_out_is_124_with_the_output_so_far(tmp_path: Path) -> None:
    async with bench(tmp_path, tools=TOOLS) as call:
        result = await call.result("terminal", command="echo a; sleep 60", timeout=1)
    data = json.loads(result.content)
    assert (data["exit_code"], data["output"].removesuffix("Killed\n")) == (124, "a\n")
    assert "1 seconds" in data["error"]
    assert result.status == "error"


async def test_an_interrupt_is_130_with_the_output_so_far(tmp_path: Path) -> None:
    async with bench(tmp_path, tools=TOOLS) as call:
        begun = asyncio.Event()
        running = asyncio.create_task(
            call.toolbox.run(
                ToolCall("c", "terminal", '{"command": "echo a; sleep 60"}'),
                lambda _: begun.set(),
            )
        )
        await asyncio.wait_for(begun.wait(), 10)
        running.cancel()
        result = await running
    data = json.loads(result.content)
    printed = data["output"].removesuffix("Killed\n")  # a shell may outlive its child
    assert (data["exit_code"], printed, data["status"]) == (130, "a\n", "interrupted")
    assert result.status == "interrupted"


async def test_nothing_runs_without_approval(tmp_path: Path) -> None:
    asked: list[tuple[str, str | None]] = []

    async def deny(command: str, workdir: str | None) -> None:
        asked.append((command, workdir))
        raise DeniedError("The person said no.")

    async with bench(tmp_path, tools=TOOLS) as call:
        toolbox = call.toolbox
        context: ToolContext = toolbox._context  # pyright: ignore[reportPrivateUsage] - the room has no say in approvals
        toolbox._context = msgspec.structs.replace(context, approve_command=deny)  # pyright: ignore[reportPrivateUsage] - as above
        for background in (False, True):
            text = json.dumps({"command": "touch x", "background": background, "workdir": "/"})
            result = await toolbox.run(ToolCall("c", "terminal", text), quiet)
            assert result.status == "denied"
            assert json.loads(result.content)["status"] == "blocked"
    assert asked == [("touch x", "/")] * 2
    assert not (tmp_path / "x").exists()


async def test_a_killed_command_says_by_what(tmp_path: Path) -> None:
    async with bench(tmp_path, tools=TOOLS) as call:
        result = await call("terminal", command="kill -9 $$")
    assert result["exit_code"] == -9
    assert result["error"] == "Killed by signal 9."


async def test_output_keeps_to_the_limit(tmp_path: Path) -> None:
    async with bench(tmp_path, tools=TOOLS, limits=Limits(terminal_chars=1000)) as call:
        result = await call("terminal", command="seq 1 10000")
    assert len(result["output"]) <= 1000
    assert result["output"].startswith("1\n2\n")
    assert result["output"].endswith("\n10000\n")


async def test_a_command_is_given_a_terminal(tmp_path: Path) -> None:
    async with bench(tmp_path, tools=TOOLS) as call:
        result = await call("terminal", command="[ -t 0 ] && [ -t 1 ]", pty=True)
    assert result["exit_code"] == 0


async def test_a_background_command_is_followed(tmp_path: Path) -> None:
    async with bench(tmp_path, tools=TOOLS) as call:
        started = await call("terminal", command="read a; echo $a; exit 2", background=True)
        name = started["session_id"]
        assert started["pid"] > 0
        (listed,) = (await call("process", action="list"))["processes"]
        assert (listed["session_id"], listed["status"]) == (name, "running")
        assert (await call("process", action="poll", session_id=name))["status"] == "running"
        await call("process", action="submit", session_id=name, data="hello")
        ended = await call("process", action="wait", session_id=name, timeout=10)
        assert (ended["status"], ended["exit_code"]) == ("exited", 2)
        assert ended["output"] == "hello\n"
        log = await call("process", action="log", session_id=name)
        assert log == {"output": "hello", "total_lines": 1}


async def test_waiting_is_never_longer_than_a_command_may_take(tmp_path: Path) -> None:
    async with bench(tmp_path, tools=TOOLS, limits=Limits(terminal_timeout=0.1)) as call:
        started = await call("terminal", command="sleep 600", background=True)
        waited = call("process", action="wait", session_id=started["session_id"], timeout=600)
        assert (await asyncio.wait_for(waited, 10))["status"] == "running"
        killed = await call("process", action="kill", session_id=started["session_id"])
        assert killed["status"] == "exited"


async def test_a_process_has_to_be_named(tmp_path: Path) -> None:
    async with bench(tmp_path, tools=TOOLS) as call:
        assert "session_id" in (await call("process", action="poll"))["error"]
        assert "proc_x" in (await call("process", action="poll", session_id="proc_x"))["error"]


def test_both_schemas_are_small() -> None:
    specs = [load(name) for name in TOOLS]
    assert sum(len(msgspec.json.encode(spec)) for spec in specs) < 2200
