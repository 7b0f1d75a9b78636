"""What is typed into a background process passes the gate like a command."""

import json
from pathlib import Path
from typing import Any

import msgspec

from hermes_agent.domain.errors import DeniedError
from hermes_agent.domain.messages import ToolCall
from hermes_agent.tools.contract import ToolContext
from tests.unit.tools.room import bench, quiet

TOOLS = ("terminal", "process")


async def test_a_denied_command_cannot_be_typed_into_a_shell_piece_by_piece(
    tmp_path: Path,
) -> None:
    asked: list[str] = []

    async def gate(command: str, workdir: str | None) -> str:
        asked.append(command)
        if "touch" in command:
            raise DeniedError("The person said no.")
        return command

    async with bench(tmp_path, tools=TOOLS) as call:
        toolbox = call.toolbox
        context: ToolContext = toolbox._context  # pyright: ignore[reportPrivateUsage] - the room has no say in approvals
        toolbox._context = msgspec.structs.replace(context, approve_command=gate)  # pyright: ignore[reportPrivateUsage] - as above

        async def run(tool: str, **arguments: Any) -> tuple[str, dict[str, Any]]:
            result = await toolbox.run(ToolCall("c", tool, json.dumps(arguments)), quiet)
            return result.status, json.loads(result.content)

        _, started = await run("terminal", command="bash", background=True)
        name = started["session_id"]
        assert (await run("process", action="write", session_id=name, data="tou"))[0] == "ok"
        status, _ = await run("process", action="submit", session_id=name, data="ch planted")
        assert status == "denied"
        await run("process", action="kill", session_id=name)
    assert asked == ["bash", "tou", "touch planted"]
    assert not (tmp_path / "planted").exists()
