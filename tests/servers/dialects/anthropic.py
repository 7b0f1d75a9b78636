"""Anthropic Messages.

Source: https://docs.anthropic.com/en/api/messages and /en/docs/build-with-claude/streaming.
"""

from collections.abc import Iterator
from typing import Any

from tests.servers.dialects.frame import Answer, Frame, Part, encode
from tests.servers.script import cut

STOP_REASONS = {
    "stop": "end_turn",
    "tool_calls": "tool_use",
    "length": "max_tokens",
    "content_filter": "refusal",
}


def body(answer: Answer) -> dict[str, Any]:
    """The `message` object."""
    reply = answer.reply
    content: list[dict[str, Any]] = []
    if reply.reasoning:
        content.append(
            {"type": "thinking", "thinking": reply.reasoning, "signature": reply.signature}
        )
    if reply.redacted:
        content.append({"type": "redacted_thinking", "data": reply.redacted})
    if reply.whole_text:
        content.append({"type": "text", "text": reply.whole_text})
    content.extend(
        {
            "type": "tool_use",
            "id": _call_id(answer, index),
            "name": call.name,
            "input": call.value,
        }
        for index, call in enumerate(reply.calls)
    )
    return {
        **_head(answer),
        "content": content,
        "stop_reason": _stop_reason(answer),
        "usage": _usage(answer, answer.usage.output),
        **reply.extra,
    }


def frames(answer: Answer) -> Iterator[Frame]:
    """Named events from `message_start` to `message_stop`."""
    reply = answer.reply
    index = -1

    def event(part: Part, kind: str, **fields: Any) -> Frame:
        return Frame(part, encode({"type": kind, **fields, **reply.extra}), kind)

    def opened(block: dict[str, Any]) -> Iterator[Frame]:
        nonlocal index
        index += 1
        yield event("middle", "content_block_start", index=index, content_block=block)
        if index == 0:
            yield event("middle", "ping")

    def delta(part: Part, kind: str, field: str, text: str) -> Frame:
        change = {"type": kind, field: text}
        return event(part, "content_block_delta", index=index, delta=change)

    def closed() -> Frame:
        return event("middle", "content_block_stop", index=index)

    start: dict[str, Any] = {
        **_head(answer),
        "content": [],
        "stop_reason": None,
        "usage": _usage(answer, 1),
    }
    yield event("start", "message_start", message=start)
    if reply.reasoning:
        yield from opened({"type": "thinking", "thinking": "", "signature": ""})
        for piece in reply.reasoning_pieces:
            yield delta("reasoning", "thinking_delta", "thinking", piece)
        yield delta("middle", "signature_delta", "signature", reply.signature)
        yield closed()
    if reply.redacted:
        yield from opened({"type": "redacted_thinking", "data": reply.redacted})
        yield closed()
    if reply.text_pieces:
        yield from opened({"type": "text", "text": ""})
        for piece in reply.text_pieces:
            yield delta("text", "text_delta", "text", piece)
        yield closed()
    for number, call in enumerate(reply.calls):
        yield from opened(
            {"type": "tool_use", "id": _call_id(answer, number), "name": call.name, "input": {}}
        )
        yield delta("middle", "input_json_delta", "partial_json", "")
        for piece in cut(call.text, reply.argument_chunks):
            yield delta("arguments", "input_json_delta", "partial_json", piece)
        yield closed()
    yield event(
        "finish",
        "message_delta",
        delta={"stop_reason": _stop_reason(answer), "stop_sequence": None},
        usage=_usage(answer, answer.usage.output),
    )
    yield event("end", "message_stop")


def broken(answer: Answer, code: int | str, message: str) -> Frame:
    """`event: error` in the middle of a stream; `code` is the error's type."""
    kind = code if isinstance(code, str) else "api_error"
    error = {"type": "error", "error": {"type": kind, "message": message}}
    return Frame("finish", encode(error), "error")


def _head(answer: Answer) -> dict[str, Any]:
    return {
        "id": f"msg_scripted{answer.serial:016d}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "stop_sequence": None,
    }


def _call_id(answer: Answer, index: int) -> str:
    given = answer.reply.calls[index].id
    return f"toolu_scripted{answer.serial:08d}{index:04d}" if given is None else given


def _stop_reason(answer: Answer) -> str:
    return STOP_REASONS.get(answer.reply.reason, answer.reply.reason)


def _usage(answer: Answer, output: int) -> dict[str, Any]:
    usage = answer.usage
    return {
        "input_tokens": max(usage.input - usage.cache_read - usage.cache_write, 0),
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": output,
        "service_tier": "standard",
    }
