"""OpenAI chat-completions.

Source: https://platform.openai.com/docs/api-reference/chat and /chat-streaming; reasoning fields
as DeepSeek (`reasoning_content`) and OpenRouter (`reasoning`, `reasoning_details`) document them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.servers.dialects.frame import Answer, Frame, Part, encode
from tests.servers.script import cut

MARK = "here goes the text of a delta"


def body(answer: Answer) -> dict[str, Any]:
    """The `chat.completion` object."""
    reply = answer.reply
    message: dict[str, Any] = {
        "role": "assistant",
        "content": reply.whole_text if reply.whole_text or not reply.calls else None,
        "refusal": None,
        "annotations": [],
    }
    if reply.reasoning:
        message |= _reasoning(answer, reply.reasoning, last=True)
    if reply.calls:
        message["tool_calls"] = [
            {
                "id": _call_id(answer, index),
                "type": "function",
                "function": {"name": call.name, "arguments": call.text},
            }
            for index, call in enumerate(reply.calls)
        ]
    return {
        "id": _id(answer),
        "object": "chat.completion",
        "created": answer.created,
        "model": answer.model,
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.reason}
        ],
        "usage": _usage(answer),
        "service_tier": "default",
        "system_fingerprint": "fp_scripted",
        **reply.extra,
    }


def frames(answer: Answer) -> Iterator[Frame]:
    """`chat.completion.chunk` events, then `[DONE]`. Usage comes when it was asked for."""
    reply = answer.reply
    options: Mapping[str, Any] = answer.payload.get("stream_options") or {}
    with_usage = bool(options.get("include_usage"))
    head = {
        "id": _id(answer),
        "object": "chat.completion.chunk",
        "created": answer.created,
        "model": answer.model,
        "service_tier": "default",
        "system_fingerprint": "fp_scripted",
        **reply.extra,
    }
    nothing = {"usage": None} if with_usage else {}

    def chunk(part: Part, delta: dict[str, Any], finish: str | None = None) -> Frame:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return Frame(part, encode({**head, "choices": [choice], **nothing}))

    first: dict[str, Any] = {"role": "assistant", "content": None if reply.calls else ""}
    yield chunk("start", {**first, "refusal": None})
    for number, piece in enumerate(reply.reasoning_pieces, 1):
        last = number == len(reply.reasoning_pieces)
        yield chunk("reasoning", _reasoning(answer, piece, last=last))
    # Encoding every chunk anew would make the server the slow part of a benchmark.
    before, after = chunk("text", {"content": MARK}).data.split(encode(MARK))
    for piece in reply.text_pieces:
        yield Frame("text", f"{before}{encode(piece)}{after}")
    for index, call in enumerate(reply.calls):
        opening = {
            "index": index,
            "id": _call_id(answer, index),
            "type": "function",
            "function": {"name": call.name, "arguments": ""},
        }
        yield chunk("middle", {"tool_calls": [opening]})
        for piece in cut(call.text, reply.argument_chunks):
            more = {"index": index, "function": {"arguments": piece}}
            yield chunk("arguments", {"tool_calls": [more]})
    yield chunk("finish", {}, reply.reason)
    if with_usage:
        yield Frame("usage", encode({**head, "choices": [], "usage": _usage(answer)}))
    yield Frame("end", "[DONE]")


def broken(answer: Answer, code: int | str, message: str) -> Frame:
    """An error inside a 200 stream, as OpenRouter sends it."""
    return Frame(
        "finish",
        encode(
            {
                "id": _id(answer),
                "object": "chat.completion.chunk",
                "created": answer.created,
                "model": answer.model,
                "provider": "Scripted",
                "error": {"code": code, "message": message},
                "choices": [
                    {
                        "index": 0,
                        "delta": {"role": "assistant", "content": ""},
                        "finish_reason": "error",
                        "native_finish_reason": "error",
                    }
                ],
            }
        ),
    )


def _id(answer: Answer) -> str:
    return f"chatcmpl-scripted{answer.serial:08d}"


def _call_id(answer: Answer, index: int) -> str:
    given = answer.reply.calls[index].id
    return f"call_{answer.serial:08d}scripted{index:04d}" if given is None else given


def _reasoning(answer: Answer, text: str, *, last: bool) -> dict[str, Any]:
    reply = answer.reply
    if reply.reasoning_field != "reasoning_details":
        return {reply.reasoning_field: text}
    detail: dict[str, Any] = {
        "type": "reasoning.text",
        "text": text,
        "format": "anthropic-claude-v1",
        "index": 0,
    }
    if last:
        detail["signature"] = reply.signature
    return {"reasoning": text, "reasoning_details": [detail]}


def _usage(answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    counted: dict[str, Any] = {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
    if usage.cache_write:
        counted["prompt_tokens_details"]["cache_write_tokens"] = usage.cache_write
    if usage.cost is not None:
        counted["cost"] = usage.cost
    return counted
