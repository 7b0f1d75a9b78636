"""What the 1.5B model does at temperature 0: the right calls, and their effects on the disk."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from hermes_agent.domain.messages import Message, ToolCall
from hermes_agent.domain.model import Finished, Request, ToolSpec
from hermes_agent.providers.embedded.model import EmbeddedModel
from hermes_agent.providers.embedded.offline import Installed, open_model
from hermes_agent.providers.embedded.places import Places
from hermes_agent.providers.embedded.server import stop
from tests.integration.embedded_weights import weights_file

pytestmark = [pytest.mark.local_model, pytest.mark.timeout(1800)]
pytest.importorskip(
    "xllamacpp",
    reason="NOT TESTED: the extra `local` is not installed, or the system lacks libgomp",
    exc_type=ImportError,
)

TOOLS = tuple(
    ToolSpec(name, "", msgspec.Raw(b"{}")) for name in ("terminal", "read_file", "write_file")
)


@pytest.fixture(scope="session")
def gguf() -> Path:
    return weights_file("1.5b")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """One server for all tests of this file."""
    return Places(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small project; the largest file lies deep, and has a blank in its name."""
    made = tmp_path / "project"
    for name, length in {
        "README.md": 800,
        "src/main.py": 500,
        "data/table.csv": 3_000,
        "data/old/summer trip.bin": 9_000,
    }.items():
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"word " * (length // 5))
    return made


@pytest.fixture
async def model(gguf: Path, places: Places, folder: Path) -> AsyncIterator[EmbeddedModel]:
    installed = Installed(name="qwen2.5-coder-1.5b", path=gguf, bytes=1, context=8192)
    opened = open_model(installed, cwd=folder, places=places)
    yield opened
    await opened.close()


@pytest.fixture(scope="module", autouse=True)
def ended(places: Places) -> Iterator[None]:
    """Nothing stays behind."""
    yield
    asyncio.run(stop(places=places))


async def work(model: EmbeddedModel, task: str, folder: Path) -> tuple[list[ToolCall], str]:
    """A turn with real tools: the calls that were made, and the closing words."""
    messages = [Message(role="user", content=task, timestamp=time.time())]
    calls: list[ToolCall] = []
    for _ in range(6):
        request = Request(system="", messages=tuple(messages), tools=TOOLS)
        deltas = [delta async for delta in model.stream(request)]
        assert isinstance(deltas[-1], Finished)
        answer = deltas[-1].message
        messages.append(answer)
        if not answer.tool_calls:
            return calls, answer.content
        for call in answer.tool_calls:
            calls.append(call)
            result = run(call, folder)
            messages.append(Message(role="tool", content=result, tool_call_id=call.id))
    pytest.fail(f"no end after {len(calls)} calls: {calls}")


def run(call: ToolCall, folder: Path) -> str:
    """The three tools, as far as these tasks need them."""
    arguments = json.loads(call.arguments)
    match call.name:
        case "terminal":
            done = subprocess.run(
                ["bash", "-c", arguments["command"]],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=30,
            )
            return json.dumps({"output": done.stdout + done.stderr, "exit_code": done.returncode})
        case "read_file":
            return (folder / arguments["path"]).read_text()
        case _:
            (folder / arguments["path"]).write_text(arguments["content"])
            return "ok"


async def test_the_largest_file_is_found_and_its_name_written(
    model: EmbeddedModel, folder: Path
) -> None:
    task = "find the largest file under this folder and write its name to answer.txt"
    calls, words = await work(model, task, folder)
    assert {call.name for call in calls} <= {"terminal", "write_file"}
    assert Path((folder / "answer.txt").read_text().strip()).name == "summer trip.bin"
    assert words.strip()


async def test_a_question_about_the_machine_is_a_command(
    model: EmbeddedModel, folder: Path
) -> None:
    calls, words = await work(model, "count the lines of data/table.csv", folder)
    assert [call.name for call in calls] == ["terminal"]
    assert words.strip()


async def test_a_file_is_renamed(model: EmbeddedModel, folder: Path) -> None:
    await work(model, "rename README.md to INTRO.md", folder)
    assert (folder / "INTRO.md").exists()
    assert not (folder / "README.md").exists()


async def test_a_question_of_knowledge_is_answered_without_a_call(
    model: EmbeddedModel, folder: Path
) -> None:
    calls, words = await work(model, "what is the capital of France?", folder)
    assert not calls
    assert "Paris" in words


async def test_the_fixed_part_is_computed_once(model: EmbeddedModel) -> None:
    async def cached(text: str) -> tuple[int, int]:
        request = Request(
            system="", messages=(Message(role="user", content=text),), tools=TOOLS, max_tokens=8
        )
        deltas = [delta async for delta in model.stream(request)]
        assert isinstance(deltas[-1], Finished)
        usage = deltas[-1].message.usage
        assert usage is not None
        return usage.cache_read, usage.input

    await cached("hello")
    read, whole = await cached("good evening to you")
    assert whole - read < 60
