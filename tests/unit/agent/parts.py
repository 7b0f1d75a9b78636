"""Ports in memory, for tests of the loop alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import msgspec

from hermes_agent.domain.errors import ModelError
from hermes_agent.domain.messages import Message, ToolCall, ToolResult, Usage
from hermes_agent.domain.model import Delta, Finished, Request, TextDelta, ToolSpec
from hermes_agent.domain.ports import Emit

Step = Message | ModelError | Callable[[], Awaitable[None]]


def says(text: str, *calls: ToolCall, finish: str = "") -> Message:
    """An answer of the model."""
    ending = finish or ("tool_calls" if calls else "stop")
    message = msgspec.convert({"role": "assistant", "content": text, "finish": ending}, Message)
    return msgspec.structs.replace(message, tool_calls=calls, usage=Usage(input=10, output=5))


def call(name: str, arguments: str = "{}", identity: str = "c1") -> ToolCall:
    """A tool call."""
    return ToolCall(identity, name, arguments)


class ScriptedModel:
    """Plays a list: messages, errors, or something to await before the next step."""

    name = "scripted"
    context_length = 1000

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self.requests: list[Request] = []
        self.stalled = asyncio.Event()

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        self.requests.append(request)
        while True:
            step = self._steps.pop(0)
            if isinstance(step, ModelError):
                raise step
            if isinstance(step, Message):
                break
            await step()
        for word in step.content.split(" "):
            yield TextDelta(word)
        if step.finish == "interrupted":
            self.stalled.set()
            await asyncio.Event().wait()
        yield Finished(step)


class MemoryJournal:
    """Keeps everything in a list, in order."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.lines: list[str] = []

    async def append(self, message: Message) -> Message:
        await asyncio.sleep(0)
        stored = msgspec.structs.replace(message, id=len(self.messages) + 1)
        self.messages.append(stored)
        self.lines.append(f"{message.role}:{message.content}")
        return stored

    async def call_started(self, call: ToolCall) -> None:
        self.lines.append(f"started:{call.id}")

    async def call_finished(self, result: ToolResult) -> None:
        self.lines.append(f"finished:{result.call_id}:{result.status}")


class Tools:
    """`work` runs for every call; `parallel` says whether they are independent."""

    def __init__(
        self, work: Callable[[ToolCall], Awaitable[str]] | None = None, *, parallel: bool = False
    ) -> None:
        self._work = work
        self._parallel = parallel

    def specs(self) -> tuple[ToolSpec, ...]:
        return (ToolSpec("work", "Works.", msgspec.Raw(b"{}")),)

    def independent(self, calls: Sequence[ToolCall]) -> bool:
        return self._parallel

    def summary(self, call: ToolCall) -> str:
        return call.name

    async def run(self, call: ToolCall, emit: Emit) -> ToolResult:
        try:
            text = await self._work(call) if self._work else "done"
        except asyncio.CancelledError:
            return ToolResult(
                call_id=call.id, name=call.name, content="half done", status="interrupted"
            )
        return ToolResult(call_id=call.id, name=call.name, content=text)
