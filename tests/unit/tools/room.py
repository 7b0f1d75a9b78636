"""A real toolbox over a real local environment, for tests."""

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from hermes_agent.domain.asking import Approval, ApprovalRequest
from hermes_agent.domain.errors import DeniedError
from hermes_agent.domain.events import Event
from hermes_agent.domain.messages import ToolCall, ToolResult
from hermes_agent.environments.enclosure import Place
from hermes_agent.environments.local import LocalEnvironment
from hermes_agent.tools.call import SessionToolbox
from hermes_agent.tools.contract import Limits, ToolContext

OWN = ("read_file", "write_file", "patch", "search_files", "todo", "clarify")


class Fence:
    """A guard that lets everything through but paths whose name holds `secret`."""

    def check_read(self, path: str) -> str:
        if "secret" in os.path.basename(path):
            raise DeniedError(f"{path} may not be read.", hint="Ask the person.")
        return os.path.realpath(path)

    def check_write(self, path: str) -> str:
        return self.check_read(path)


class Person:
    """Answers questions with what was prepared, None being silence."""

    def __init__(self, answer: str | None = None) -> None:
        self.answer = answer
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def approve(self, request: ApprovalRequest) -> Approval:
        return "deny"

    async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
        self.asked.append((question, choices))
        return self.answer


async def allow(command: str, workdir: str | None) -> str:
    """Every command may run."""
    return command


def quiet(event: Event) -> None:
    """Nobody watches."""


class Bench:
    """Calls tools by name and gives back what the model would read."""

    def __init__(self, toolbox: SessionToolbox, folder: Path) -> None:
        self.toolbox = toolbox
        self.folder = folder

    async def result(self, name: str, **arguments: Any) -> ToolResult:
        text = msgspec.json.encode(arguments).decode()
        return await self.toolbox.run(ToolCall("call_1", name, text), quiet)

    async def __call__(self, name: str, **arguments: Any) -> dict[str, Any]:
        return msgspec.json.decode((await self.result(name, **arguments)).content)


@asynccontextmanager
async def bench(
    folder: Path,
    *,
    tools: Sequence[str] = OWN,
    person: Person | None = None,
    limits: Limits | None = None,
    variables: dict[str, str] | None = None,
    **more: Any,
) -> AsyncGenerator[Bench]:
    """A toolbox at work in `folder`."""
    place = Place(cwd=str(folder), variables=variables or dict(os.environ))
    environment = LocalEnvironment(place)
    context = ToolContext(
        environment=environment,
        asker=person or Person(),
        guard=Fence(),
        approve_command=allow,
        limits=limits or Limits(),
    )
    try:
        yield Bench(SessionToolbox(tools=tools, context=context, **more), folder)
    finally:
        await environment.close()
