"""Gemini generateContent and streamGenerateContent.

Source: https://ai.google.dev/api/generate-content. A stream has no closing event: each event is
a `GenerateContentResponse`, and the last one has the finish reason. Tool calls come whole.
"""

from collections.abc import Iterator
from typing import Any

from tests.servers.dialects.frame import Answer, Frame, encode
from tests.servers.script import Call

FINISH_REASONS = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}


def body(answer: Answer) -> dict[str, Any]:
    """The whole `GenerateContentResponse`."""
    reply = answer.reply
    parts: list[dict[str, Any]] = []
    if reply.reasoning:
        parts.append({"text": reply.reasoning, "thought": True})
    if reply.whole_text:
        parts.append({"text": reply.whole_text})
    parts.extend(_call(answer, index, call) for index, call in enumerate(reply.calls))
    return _response(answer, parts, _finish(answer))


def frames(answer: Answer) -> Iterator[Frame]:
    """Partial responses; the last one has the finish reason."""
    reply = answer.reply
    for piece in reply.reasoning_pieces:
        yield Frame(
            "reasoning", encode(_response(answer, [{"text": piece, "thought": True}], None))
        )
    for piece in reply.text_pieces:
        yield Frame("text", encode(_response(answer, [{"text": piece}], None)))
    for index, call in enumerate(reply.calls):
        yield Frame("arguments", encode(_response(answer, [_call(answer, index, call)], None)))
    yield Frame("finish", encode(_response(answer, [{"text": ""}], _finish(answer))))


def broken(answer: Answer, code: int | str, message: str) -> Frame:
    """An error object in the middle of a stream; `code` is an HTTP status or a status name."""
    number = code if isinstance(code, int) else 503
    status = code if isinstance(code, str) else "INTERNAL" if number == 500 else "UNAVAILABLE"
    return Frame(
        "finish", encode({"error": {"code": number, "message": message, "status": status}})
    )


def _call(answer: Answer, index: int, call: Call) -> dict[str, Any]:
    function: dict[str, Any] = {"name": call.name, "args": call.value}
    if call.id is not None:
        function["id"] = call.id
    part: dict[str, Any] = {"functionCall": function}
    signature = call.signature or (answer.reply.signature if index == 0 else None)
    if signature:
        part["thoughtSignature"] = signature
    return part


def _response(answer: Answer, parts: list[dict[str, Any]], finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": _usage(answer),
        "modelVersion": answer.model,
        "responseId": f"scripted{answer.serial:08d}",
        **answer.reply.extra,
    }


def _finish(answer: Answer) -> str:
    return FINISH_REASONS.get(answer.reply.reason, answer.reply.reason)


def _usage(answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    counted: dict[str, Any] = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "totalTokenCount": usage.input + usage.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.input}],
    }
    if usage.cache_read:
        counted["cachedContentTokenCount"] = usage.cache_read
        counted["cacheTokensDetails"] = [{"modality": "TEXT", "tokenCount": usage.cache_read}]
    if usage.reasoning:
        counted["thoughtsTokenCount"] = usage.reasoning
    return counted
