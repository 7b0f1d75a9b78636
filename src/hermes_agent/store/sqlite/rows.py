"""Between rows and the port's types."""

from collections.abc import Sequence
from typing import Any

import msgspec

from hermes_agent.domain.messages import Image, Message, Reasoning, ToolCall, Usage
from hermes_agent.store.records import Session, SessionSummary, ToolRun
from hermes_agent.store.sqlite.transaction import Row
from hermes_agent.store.text import storable


class _Function(msgspec.Struct):
    name: str = ""
    arguments: str = ""


class _Call(msgspec.Struct):
    """A tool call in the documented column: the shape of the chat-completions API."""

    id: str
    function: _Function
    type: str = "function"


_calls = msgspec.json.Decoder(list[_Call])
_reasoning = msgspec.json.Decoder(tuple[Reasoning, ...])
_images = msgspec.json.Decoder(tuple[Image, ...])
_states = msgspec.json.Decoder(list[str | None])


def session(row: Row) -> Session:
    """From `sessions.get`."""
    return Session(**dict(zip(Session.__struct_fields__, row, strict=True)))


def summary(row: Row) -> SessionSummary:
    """From `sessions.list`."""
    values = dict(zip(SessionSummary.__struct_fields__, row, strict=True))
    values["preview"] = " ".join(str(values["preview"]).split())[:120]
    return SessionSummary(**values)


def run(row: Row) -> ToolRun:
    """From `runs.list`."""
    return ToolRun(
        call_id=row[0],
        name=row[1],
        status=row[2],
        started_at=row[3],
        finished_at=row[4],
        message_id=row[5],
        result=row[6],
    )


def message(row: Row) -> Message:
    """From `messages.history`."""
    detailed = row[8] is not None
    return Message(
        id=row[0],
        role=row[1],
        content=row[2].decode(errors="replace") if row[2] else "",
        tool_call_id=row[3],
        tool_calls=_read_calls(row[4], row[17]) if row[4] else (),
        tool_name=row[5],
        timestamp=row[6],
        finish=row[7],
        model=row[9],
        usage=Usage(*row[10:16]) if detailed and row[10] is not None else None,
        reasoning=_reasoning.decode(row[16]) if row[16] else (),
        images=_images.decode(row[18]) if row[18] else (),
        turn=row[19],
        summary=bool(row[20]),
    )


def cleaned(message: Message) -> Message:
    """The message as it can be stored."""
    return msgspec.structs.replace(
        message,
        content=storable(message.content),
        tool_call_id=message.tool_call_id and storable(message.tool_call_id),
        tool_name=message.tool_name and storable(message.tool_name),
        tool_calls=tuple(
            ToolCall(
                storable(call.id),
                storable(call.name),
                storable(call.arguments),
                call.state and storable(call.state),
            )
            for call in message.tool_calls
        ),
        reasoning=tuple(
            Reasoning(storable(part.text), part.state and storable(part.state), part.wire)
            for part in message.reasoning
        ),
    )


def message_values(session_id: str, message: Message) -> dict[str, Any]:
    """For `messages.insert`."""
    return {
        "session_id": session_id,
        "role": message.role,
        "content": message.content,
        "tool_call_id": message.tool_call_id,
        "tool_calls": _written_calls(message.tool_calls),
        "tool_name": message.tool_name,
        "timestamp": message.timestamp,
        "token_count": message.usage.output if message.usage else None,
        "finish_reason": message.finish,
    }


def detail_values(message: Message, message_id: int) -> dict[str, Any] | None:
    """For `messages.insert_details`; None when the documented columns say it all."""
    states = [call.state for call in message.tool_calls]
    known = (message.model, message.usage, message.reasoning, message.images, message.turn)
    if not (any(known) or any(states) or message.summary):
        return None
    usage = message.usage
    return {
        "message_id": message_id,
        "model": message.model,
        "input": usage.input if usage else None,
        "output": usage.output if usage else None,
        "cache_read": usage.cache_read if usage else None,
        "cache_write": usage.cache_write if usage else None,
        "reasoning_tokens": usage.reasoning if usage else None,
        "cost": usage.cost_usd if usage else None,
        "reasoning": _json(message.reasoning),
        "call_states": _json(states) if any(states) else None,
        "images": _json(message.images),
        "turn": message.turn,
        "summary": message.summary,
    }


def copy_values(message: Message, message_id: int, original: int) -> dict[str, Any]:
    """For `compaction.insert_copy`; `original` is the message that it repeats."""
    states = [call.state for call in message.tool_calls]
    return {
        "message_id": message_id,
        "model": message.model,
        "reasoning": _json(message.reasoning),
        "call_states": _json(states) if any(states) else None,
        "images": _json(message.images),
        "turn": message.turn,
        "copy_of": original,
        "summary": message.summary,
    }


def count_values(session_id: str, calls: int, usage: Usage) -> dict[str, Any]:
    """For `sessions.count` and `compaction.spent`."""
    return {
        "id": session_id,
        "calls": calls,
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
        "reasoning": usage.reasoning,
        "cost": usage.cost_usd,
    }


def _json(value: Sequence[object]) -> str | None:
    return msgspec.json.encode(value).decode() if value else None


def _written_calls(calls: tuple[ToolCall, ...]) -> str | None:
    return _json([_Call(call.id, _Function(call.name, call.arguments)) for call in calls])


def _read_calls(text: str, states: str | None) -> tuple[ToolCall, ...]:
    try:
        calls = _calls.decode(text)
    except msgspec.DecodeError:
        # Another program wrote it; a call that cannot be read was not asked for by anyone.
        return ()
    known = _states.decode(states) if states else [None] * len(calls)
    return tuple(
        ToolCall(call.id, call.function.name, call.function.arguments, state)
        for call, state in zip(calls, known, strict=False)
    )
