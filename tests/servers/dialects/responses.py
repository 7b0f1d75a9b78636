"""OpenAI Responses.

Source: https://platform.openai.com/docs/api-reference/responses and /responses-streaming.
"""

from collections.abc import Iterator
from typing import Any

from tests.servers.dialects.frame import Answer, Frame, Part, encode
from tests.servers.script import cut

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def body(answer: Answer) -> dict[str, Any]:
    """The finished `response` object."""
    items = [_item(answer, kind, index, "completed") for kind, index in _outline(answer)]
    return {**_response(answer, _status(answer), items), **answer.reply.extra}


def frames(answer: Answer) -> Iterator[Frame]:
    """Named events from `response.created` to `response.completed` (or `.incomplete`)."""
    for number, (part, kind, fields) in enumerate(_events(answer)):
        event = {"type": kind, "sequence_number": number, **fields, **answer.reply.extra}
        yield Frame(part, encode(event), kind)


def broken(answer: Answer, code: int | str, message: str) -> Frame:
    """A `response.failed` event in the middle of a stream; `code` as `ResponseError` lists them."""
    name = code if isinstance(code, str) else "server_error"
    response = _response(answer, "failed", [])
    response["error"] = {"code": name, "message": message}
    event = {"type": "response.failed", "sequence_number": 999, "response": response}
    return Frame("finish", encode(event), "response.failed")


def _events(answer: Answer) -> Iterator[tuple[Part, str, dict[str, Any]]]:
    begun = _response(answer, "in_progress", [])
    yield "start", "response.created", {"response": begun}
    yield "start", "response.in_progress", {"response": begun}
    finished: list[dict[str, Any]] = []
    for place, (kind, index) in enumerate(_outline(answer)):
        at = {"output_index": place}
        begun_item = _item(answer, kind, index, "in_progress")
        yield "middle", "response.output_item.added", {**at, "item": begun_item}
        at["item_id"] = begun_item["id"]
        for part, event, fields in WRITERS[kind](answer, index):
            yield part, event, {**at, **fields}
        item = _item(answer, kind, index, "completed")
        finished.append(item)
        yield "middle", "response.output_item.done", {"output_index": place, "item": item}
    status = _status(answer)
    yield "finish", f"response.{status}", {"response": _response(answer, status, finished)}


Written = Iterator[tuple[Part, str, dict[str, Any]]]


def _write_reasoning(answer: Answer, index: int) -> Written:
    text = answer.reply.reasoning
    at = {"summary_index": 0}
    empty, full = ({"type": "summary_text", "text": each} for each in ("", text))
    yield "middle", "response.reasoning_summary_part.added", {**at, "part": empty}
    for piece in answer.reply.reasoning_pieces:
        yield "reasoning", "response.reasoning_summary_text.delta", {**at, "delta": piece}
    yield "middle", "response.reasoning_summary_text.done", {**at, "text": text}
    yield "middle", "response.reasoning_summary_part.done", {**at, "part": full}


def _write_message(answer: Answer, index: int) -> Written:
    text = answer.reply.whole_text
    at = {"content_index": 0}
    yield "middle", "response.content_part.added", {**at, "part": _text("")}
    for piece in answer.reply.text_pieces:
        yield "text", "response.output_text.delta", {**at, "delta": piece, "logprobs": []}
    yield "middle", "response.output_text.done", {**at, "text": text, "logprobs": []}
    yield "middle", "response.content_part.done", {**at, "part": _text(text)}


def _write_call(answer: Answer, index: int) -> Written:
    call = answer.reply.calls[index]
    for piece in cut(call.text, answer.reply.argument_chunks):
        yield "arguments", "response.function_call_arguments.delta", {"delta": piece}
    done = {"name": call.name, "arguments": call.text}
    yield "middle", "response.function_call_arguments.done", done


WRITERS = {"rs": _write_reasoning, "msg": _write_message, "fc": _write_call}


def _outline(answer: Answer) -> list[tuple[str, int]]:
    """The output items in order, as id prefix and index among their kind."""
    reply = answer.reply
    items: list[tuple[str, int]] = []
    if reply.reasoning:
        items.append(("rs", 0))
    if reply.whole_text or not reply.calls:
        items.append(("msg", 0))
    items.extend(("fc", index) for index in range(len(reply.calls)))
    return items


def _item(answer: Answer, kind: str, index: int, status: str) -> dict[str, Any]:
    reply = answer.reply
    done = status == "completed"
    item: dict[str, Any] = {"id": f"{kind}_scripted{answer.serial:08d}{index:04d}"}
    if kind == "rs":
        item |= {"type": "reasoning", "summary": []}
        if done:
            item["summary"] = [{"type": "summary_text", "text": reply.reasoning}]
        if "reasoning.encrypted_content" in (answer.payload.get("include") or ()):
            item["encrypted_content"] = reply.signature if done else ""
    elif kind == "msg":
        content = [_text(reply.whole_text)] if done else []
        item |= {"type": "message", "status": status, "role": "assistant", "content": content}
    else:
        call = reply.calls[index]
        given = call.id
        item |= {
            "type": "function_call",
            "status": status,
            "call_id": f"call_{answer.serial:08d}r{index:04d}" if given is None else given,
            "name": call.name,
            "arguments": call.text if done else "",
        }
    return item


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _status(answer: Answer) -> str:
    return "incomplete" if answer.reply.reason in INCOMPLETE else "completed"


def _response(answer: Answer, status: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    ended = status in ("completed", "incomplete")
    why = INCOMPLETE.get(answer.reply.reason)
    asked = answer.payload
    return {
        "id": f"resp_scripted{answer.serial:012d}",
        "object": "response",
        "created_at": answer.created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": why} if status == "incomplete" else None,
        "instructions": asked.get("instructions"),
        "max_output_tokens": asked.get("max_output_tokens"),
        "model": answer.model,
        "output": items,
        "parallel_tool_calls": asked.get("parallel_tool_calls", True),
        "previous_response_id": asked.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None, **(asked.get("reasoning") or {})},
        "service_tier": "default",
        "store": asked.get("store", True),
        "temperature": asked.get("temperature", 1.0),
        "text": {"format": {"type": "text"}},
        "tool_choice": asked.get("tool_choice", "auto"),
        "tools": asked.get("tools", []),
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": _usage(answer) if ended else None,
        "user": None,
        "metadata": {},
    }


def _usage(answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }
