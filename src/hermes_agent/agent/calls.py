"""Running the tool calls of one answer: side by side where independent, results in order."""

import asyncio
import time
import uuid
from collections.abc import Sequence

import msgspec

from hermes_agent.domain.events import ToolFinished, ToolStarted
from hermes_agent.domain.messages import Message, ToolCall, ToolResult
from hermes_agent.domain.ports import Emit, Journal, Toolbox

NOT_RUN = "Not run: the turn ended before this call began."


def with_unique_ids(message: Message) -> Message:
    """Some servers repeat or omit call ids; results need one call each to answer."""
    seen: set[str] = set()
    calls: list[ToolCall] = []
    for number, call in enumerate(message.tool_calls):
        identity = call.id
        if not identity or identity in seen:
            identity = f"{call.id or 'call'}_{number}_{uuid.uuid4().hex[:8]}"
        seen.add(identity)
        calls.append(msgspec.structs.replace(call, id=identity))
    return msgspec.structs.replace(message, tool_calls=tuple(calls))


async def run_calls(
    calls: Sequence[ToolCall], toolbox: Toolbox, journal: Journal, emit: Emit
) -> list[ToolResult]:
    """Results in call order. When cancelled, every call still gets a result: `Stopped` has them."""
    if len(calls) > 1 and toolbox.independent(calls):
        return await _together(calls, toolbox, journal, emit)
    results: list[ToolResult] = []
    for call in calls:
        task = asyncio.ensure_future(run_call(call, toolbox, journal, emit))
        try:
            results.append(await asyncio.shield(task))
        except asyncio.CancelledError:
            task.cancel()
            results.append(await task)
            raise Stopped(results + not_run(calls[len(results) :])) from None
    return results


async def _together(
    calls: Sequence[ToolCall], toolbox: Toolbox, journal: Journal, emit: Emit
) -> list[ToolResult]:
    tasks = [asyncio.ensure_future(run_call(call, toolbox, journal, emit)) for call in calls]
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        raise Stopped([await task for task in tasks]) from None
    return [task.result() for task in tasks]


async def run_call(call: ToolCall, toolbox: Toolbox, journal: Journal, emit: Emit) -> ToolResult:
    """One call: journalled before it runs and when it ends. Cancelled, it still has a result."""
    began = time.monotonic()
    running = False
    try:
        await journal.call_started(call)
        emit(ToolStarted(call=call, summary=toolbox.summary(call)))
        running = True
        result = await toolbox.run(call, emit)
    except asyncio.CancelledError:
        text = "Interrupted by the person." if running else NOT_RUN
        result = ToolResult(
            call_id=call.id,
            name=call.name,
            content=text,
            status="interrupted",
            duration=time.monotonic() - began,
        )
    noting = asyncio.ensure_future(journal.call_finished(result))
    try:
        await asyncio.shield(noting)
    except asyncio.CancelledError:
        await noting  # the call is over: stopping now changes nothing but the next one
    # Pictures come with the message that holds the result; once is enough.
    emit(ToolFinished(result=msgspec.structs.replace(result, images=())))
    return result


def not_run(calls: Sequence[ToolCall]) -> list[ToolResult]:
    """Results for calls that never began, so that the history stays valid."""
    return [
        ToolResult(call_id=call.id, name=call.name, content=NOT_RUN, status="interrupted")
        for call in calls
    ]


class Stopped(Exception):
    """The person stopped the turn while tools ran; every call has its result here."""

    def __init__(self, results: list[ToolResult]) -> None:
        super().__init__("stopped")
        self.results = results
