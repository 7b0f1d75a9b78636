"""The socket that programs call tools by."""

import ast
import asyncio
import json
import os
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.messages import ToolCall, ToolResult
from hermes_agent.domain.model import ToolSpec
from hermes_agent.tools import programs
from hermes_agent.tools.contract import Arguments
from hermes_agent.tools.programs.desk import Desk

CALL = b'{"name": "look", "arguments": {}}\n'
CLIENT = """
import socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect(sys.argv[1])
    try:
        line.sendall(b'{"name": "look"}\\n')
        print(line.recv(1000))
    except OSError:
        print(b"")
"""


class Tools:
    """Counts what runs at once; `go` lets calls end."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.has_begun = asyncio.Event()
        self.running = self.most = self.begun = 0
        self.stopped = False

    def specs(self) -> tuple[ToolSpec, ...]:
        return ()

    def prepare(self, number: int, name: str, arguments: Arguments) -> ToolCall:
        return ToolCall(f"call:{number}", name, json.dumps(arguments))

    def summary(self, call: ToolCall) -> str:
        return call.name

    async def run(self, call: ToolCall) -> ToolResult:
        self.begun += 1
        self.has_begun.set()
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.stopped = True
            raise
        finally:
            self.running -= 1
        return ToolResult(call_id=call.id, name=call.name, content='{"seen": 1}')


@asynccontextmanager
async def desk(folder: Path, tools: Tools, *, most: int = 50) -> AsyncGenerator[Desk]:
    opened = Desk(folder / "s", tools, most=most, show=lambda _: None)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


async def say(folder: Path, data: bytes = CALL) -> Any:
    reader, writer = await asyncio.open_unix_connection(str(folder / "s"))
    writer.write(data)
    try:
        answer = await reader.read()
    except ConnectionResetError:
        answer = b""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return json.loads(answer) if answer else None


async def test_calls_run_one_after_another(tmp_path: Path) -> None:
    tools = Tools()
    async with desk(tmp_path, tools) as opened:
        calls = [asyncio.create_task(say(tmp_path)) for _ in range(8)]
        await tools.has_begun.wait()
        tools.go.set()
        assert [await call for call in calls] == [{"result": {"seen": 1}}] * 8
        assert (tools.most, opened.made) == (1, 8)


async def test_too_many_connections_are_turned_away_and_the_rest_goes_on(tmp_path: Path) -> None:
    tools = Tools()
    async with desk(tmp_path, tools, most=1000):
        calls = [asyncio.create_task(say(tmp_path)) for _ in range(100)]
        turned_away = 0
        while turned_away < 36:
            waiting = [call for call in calls if not call.done()]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            turned_away = sum(call.done() for call in calls)
        tools.go.set()
        answers = [await call for call in calls]
        assert answers.count(None) == 36
        assert answers.count({"result": {"seen": 1}}) == 64


async def test_closing_ends_the_call_on_its_way(tmp_path: Path) -> None:
    tools = Tools()
    async with desk(tmp_path, tools):
        calls = [asyncio.create_task(say(tmp_path)) for _ in range(3)]
        await tools.has_begun.wait()
    assert [await call for call in calls] == [None] * 3
    assert tools.stopped
    assert tools.begun == 1
    with pytest.raises(OSError):
        await asyncio.open_unix_connection(str(tmp_path / "s"))


async def test_another_user_is_not_heard_even_where_the_directory_lets_him_in(
    tmp_path: Path,
) -> None:
    if os.geteuid() != 0:
        pytest.skip("NO TEST OF ANOTHER USER AT THE SOCKET: it takes root to become one")
    tools = Tools()
    tools.go.set()
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if str(folder) != "/tmp":
            await asyncio.to_thread(folder.chmod, 0o755)
    async with desk(tmp_path, tools):
        await asyncio.to_thread((tmp_path / "s").chmod, 0o777)
        said: list[bytes] = []
        for before in ((), ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")):
            argv = (*before, "/usr/bin/python3", "-c", CLIENT, str(tmp_path / "s"))
            ran = await asyncio.to_thread(subprocess.run, argv, capture_output=True, check=False)
            said.append(ran.stdout.strip() or ran.stderr)
        assert b"seen" in said[0]
        assert said[1] == b"b''"
        assert tools.begun == 1


def test_the_module_for_programs_can_be_read_by_an_old_python() -> None:
    path = Path(programs.__file__).with_name("hermes_tools.py")
    ast.parse(path.read_text(), feature_version=(3, 8))
