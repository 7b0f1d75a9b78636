"""Making a history whole: every tool call followed by its result, in the order of the calls.

A process that was killed leaves calls without results. What is known of them is said, and a
call is never run again because its outcome is unknown.
"""

from collections.abc import Iterable, Sequence

import msgspec

from hermes_agent.domain.messages import Message, ToolCall
from hermes_agent.store.records import ToolRun

INTERRUPTED = (
    "This call was interrupted: the agent stopped while it was running. It is unknown whether "
    "it took effect. It has not been run again; check the state of things before repeating it."
)
_SPEAKERS = ("user", "assistant")
NOT_RUN = "This call was not run: the agent stopped before it could start."


class _Slot:
    """The place of one call's result."""

    def __init__(self, asked: Message, call: ToolCall) -> None:
        self.asked = asked
        self.call = call
        self.result: Message | None = None


def arrange(messages: Sequence[Message], runs: Iterable[ToolRun]) -> list[Message]:
    """The messages as a valid history; results that had to be written have no `id`.

    A missing result is taken from its finished run, else says that the call was interrupted
    or not run. Stored results are moved behind their calls. A result that no call asked for
    is left out, and so is what another program stored in a role of its own. Times never go
    backwards because of what was added.
    """
    slots = _fill_slots(messages)
    run_of = _RunFinder(runs)
    arranged: list[Message] = []
    for message in messages:
        if message.role not in _SPEAKERS:
            continue
        arranged.append(message)
        clock = message.timestamp
        for slot in slots.get(id(message), ()):
            result = slot.result or _written(slot, run_of.take(slot), clock)
            clock = max(clock, result.timestamp)
            arranged.append(result)
    return arranged


def _fill_slots(messages: Sequence[Message]) -> dict[int, list[_Slot]]:
    """The slots by the identity of the asking message, filled with the stored results.

    Ids of calls repeat (some models count from `call_0` in every turn), so a result belongs
    to the latest asking message before it that still lacks one of that id.
    """
    slots: dict[int, list[_Slot]] = {}
    open_groups: dict[str, list[list[_Slot]]] = {}
    for message in messages:
        if message.role == "tool":
            groups = open_groups.get(message.tool_call_id or "", [])
            while groups and not groups[-1]:
                groups.pop()
            if groups:
                groups[-1].pop(0).result = message
            continue
        mine = slots[id(message)] = [_Slot(message, call) for call in message.tool_calls]
        by_id: dict[str, list[_Slot]] = {}
        for slot in mine:
            by_id.setdefault(slot.call.id, []).append(slot)
        for call_id, group in by_id.items():
            open_groups.setdefault(call_id, []).append(group)
    return slots


class _RunFinder:
    """Hands out the runs of a call, each once, in the order they started."""

    def __init__(self, runs: Iterable[ToolRun]) -> None:
        self._runs: dict[tuple[int | None, str], list[ToolRun]] = {}
        for run in runs:
            self._runs.setdefault((run.message_id, run.call_id), []).append(run)

    def take(self, slot: _Slot) -> ToolRun | None:
        waiting = self._runs.get((slot.asked.id, slot.call.id))
        return waiting.pop(0) if waiting else None


def _written(slot: _Slot, run: ToolRun | None, clock: float) -> Message:
    if run is None:
        content = _report("not_run", NOT_RUN)
    elif run.result is None:
        content = _report("interrupted", INTERRUPTED)
    else:
        content = run.result
    return Message(
        role="tool",
        content=content,
        tool_call_id=slot.call.id,
        tool_name=slot.call.name,
        timestamp=clock,
    )


def _report(status: str, error: str) -> str:
    return msgspec.json.encode({"status": status, "error": error}).decode()
