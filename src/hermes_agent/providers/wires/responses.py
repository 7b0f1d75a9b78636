"""OpenAI Responses, stateless: nothing is stored at the vendor, the whole history is sent.

Source: https://platform.openai.com/docs/api-reference/responses and /responses-streaming.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from hermes_agent.domain.messages import Finish, Image, Message, Reasoning, Usage
from hermes_agent.domain.model import CallDelta, Delta, ReasoningDelta, Request, TextDelta
from hermes_agent.providers.errors import from_payload
from hermes_agent.providers.target import Target
from hermes_agent.providers.wires.answer import Answer, arguments_object
from hermes_agent.providers.wires.chat_completions import data_url, headers
from hermes_agent.providers.wires.reading import count, details, read_event
from hermes_agent.providers.wires.writing import to_json

__all__ = ["ResponsesDecoder", "decoder", "encode", "headers", "url"]

_WIRE = "responses"
_REASONS = re.compile(r"(^|/)(o\d|gpt-5|gpt-[6-9]|codex)", re.I)
_encode = msgspec.json.Encoder().encode


def url(target: Target) -> str:
    """Below the base URL, which holds the version."""
    return f"{target.base_url}/responses"


def encode(target: Target, request: Request) -> bytes:
    """Settings, instructions, tools, then the input: the part that grows comes last."""
    body: dict[str, Any] = {"model": target.model, "stream": True, "store": False}
    reasons = bool(_REASONS.search(target.model))
    if reasons:
        body["include"] = ["reasoning.encrypted_content"]
    limit = request.max_tokens or target.max_output
    if limit:
        body["max_output_tokens"] = max(limit, 16)  # the least that is accepted
    if request.temperature is not None and not reasons:
        body["temperature"] = request.temperature
    if request.effort and (reasons or request.effort != "none"):
        body["reasoning"] = {"effort": request.effort, "summary": "auto"}
    if target.vendor.quirks.cache == "key" and request.session_id:
        body["prompt_cache_key"] = request.session_id
    body |= target.extra
    if request.system:
        body["instructions"] = request.system
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": False,
            }
            for tool in request.tools
        ]
    body["input"] = [item for message in request.messages for item in _items(target, message)]
    return to_json(body)


def _items(target: Target, message: Message) -> list[dict[str, Any] | msgspec.Raw]:
    if message.role == "tool":
        output: Any = message.content
        if message.images:
            output = [{"type": "input_text", "text": message.content}, *map(_image, message.images)]
        return [
            {
                "type": "function_call_output",
                "call_id": message.tool_call_id or "",
                "output": output,
            }
        ]
    if message.role == "user":
        content: Any = message.content
        if message.images:
            content = [_image(each) for each in message.images]
            if message.content:
                content.append({"type": "input_text", "text": message.content})
        return [{"type": "message", "role": "user", "content": content}]
    items: list[dict[str, Any] | msgspec.Raw] = []
    if message.model in (None, target.model):
        items += [
            msgspec.Raw(part.state.encode())
            for part in message.reasoning
            if part.wire == _WIRE and part.state
        ]
    if message.content:
        items.append({"type": "message", "role": "assistant", "content": message.content})
    items += [
        {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": arguments_object(call),
        }
        for call in message.tool_calls
    ]
    # A reasoning item with nothing after it is refused.
    return items if message.content or message.tool_calls else []


def _image(image: Image) -> dict[str, Any]:
    return {"type": "input_image", "detail": "auto", "image_url": image.url or data_url(image)}


class _Content(msgspec.Struct):
    type: str = ""
    text: str | None = None
    refusal: str | None = None


class _Item(msgspec.Struct):
    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    encrypted_content: str | None = None
    summary: list[_Content] | None = None
    content: list[_Content] | None = None


class _Response(msgspec.Struct):
    status: str | None = None
    output: list[_Item] | None = None
    usage: dict[str, Any] | None = None
    error: Any = None
    incomplete_details: dict[str, Any] | None = None


class _Event(msgspec.Struct):
    type: str = ""
    delta: Any = None
    output_index: int = 0
    summary_index: int = 0
    item: _Item | None = None
    response: _Response | None = None
    arguments: str | None = None
    # of the `error` event
    error: Any = None
    code: Any = None
    message: str | None = None
    # of a whole response, as servers send it that do not stream
    object: str | None = None
    status: str | None = None
    output: list[_Item] | None = None
    usage: dict[str, Any] | None = None
    incomplete_details: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(_Event, strict=False)
_TEXT = frozenset({"response.output_text.delta", "response.refusal.delta"})
_THOUGHT = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})


def decoder(target: Target) -> "ResponsesDecoder":
    """A reader for one answer."""
    return ResponsesDecoder(target)


class ResponsesDecoder:
    """Reads one response, streamed or whole."""

    def __init__(self, target: Target) -> None:
        self.ended = False
        self.settled = False
        self._target = target
        self._answer = Answer(target)
        self._reasoning: dict[int, Reasoning] = {}
        self._thought: dict[int, list[str]] = {}
        self._part = (-1, 0)
        self._spoken: set[int] = set()
        self._slots: dict[int, int] = {}
        self._finish: Finish | None = None

    def feed(self, data: bytes) -> Sequence[Delta]:
        """One event."""
        if data == b"[DONE]":
            return ()
        event = read_event(_decoder, self._target, data)
        if event is None:
            return ()
        kind, delta = event.type, event.delta
        if kind in _TEXT and isinstance(delta, str):
            self._spoken.add(event.output_index)
            self._answer.text.append(delta)
            return (TextDelta(delta),)
        if kind in _THOUGHT and isinstance(delta, str):
            part = (event.output_index, event.summary_index)
            if self._part[0] >= 0 and part != self._part:
                delta = f"\n\n{delta}"  # the parts of a summary are paragraphs
            self._part = part
            self._thought.setdefault(event.output_index, []).append(delta)
            return (ReasoningDelta(delta),)
        if kind == "response.function_call_arguments.delta" and isinstance(delta, str):
            slot = self._slots.get(event.output_index)
            if slot is None or not delta:
                return ()
            self._answer.calls[slot].arguments.append(delta)
            return (CallDelta(slot, "", delta),)
        return self._rest(event)

    def _rest(self, event: _Event) -> list[Delta]:
        match event.type:
            case "response.output_item.added" if event.item is not None:
                return self._open(event.output_index, event.item)
            case "response.output_item.done" if event.item is not None:
                return self._item(event.output_index, event.item)
            case "response.completed" | "response.incomplete" | "response.failed":
                return self._close(event.response or _Response(), event.type)
            case "error":
                held = event.error or {"code": event.code, "message": event.message}
                raise from_payload(self._target, held)
            case _:
                if event.object == "response" and event.status is not None:
                    whole = _Response(
                        status=event.status,
                        output=event.output,
                        usage=event.usage,
                        error=event.error,
                        incomplete_details=event.incomplete_details,
                    )
                    return self._close(whole, f"response.{event.status}")
                if event.error is not None and not event.type.startswith("response."):
                    raise from_payload(self._target, event.error)
                return []

    def _open(self, index: int, item: _Item) -> list[Delta]:
        if item.type != "function_call" or index in self._slots:
            return []
        slot, opened = self._answer.open_call(call_id=item.call_id or "", name=item.name or "")
        self._slots[index] = slot
        return [opened]

    def _item(self, index: int, item: _Item) -> list[Delta]:
        """A finished item: what of it was not streamed counts now."""
        if item.type == "function_call":
            deltas = self._open(index, item)
            slot = self._slots[index]
            call = self._answer.calls[slot]
            if item.arguments and not call.arguments:
                call.arguments.append(item.arguments)
                deltas.append(CallDelta(slot, "", item.arguments))
            return deltas
        if item.type == "message" and index not in self._spoken:
            self._spoken.add(index)
            text = "".join(part.text or part.refusal or "" for part in item.content or ())
            if text:
                self._answer.text.append(text)
                return [TextDelta(text)]
        if item.type == "reasoning" and index not in self._reasoning:
            return self._keep(index, item)
        return []

    def _keep(self, index: int, item: _Item) -> list[Delta]:
        """The reasoning item itself is the state: it goes back as it came."""
        parts = [part.text or "" for part in item.summary or ()]
        text = "\n\n".join(parts) or "".join(part.text or "" for part in item.content or ())
        state: str | None = None
        if item.encrypted_content and item.id:
            summary = [{"type": "summary_text", "text": part} for part in parts]
            kept = {"type": "reasoning", "id": item.id, "summary": summary}
            state = _encode({**kept, "encrypted_content": item.encrypted_content}).decode()
        self._reasoning[index] = Reasoning(text, state, _WIRE)
        if text and index not in self._thought:
            self._thought[index] = [text]
            return [ReasoningDelta(text)]
        return []

    def _close(self, response: _Response, kind: str) -> list[Delta]:
        self.ended = True
        if response.error or kind == "response.failed":
            raise from_payload(self._target, response.error or {"message": "the response failed"})
        deltas: list[Delta] = []
        for index, item in enumerate(response.output or ()):
            deltas += self._item(index, item)
        if response.usage:
            self._answer.usage = _usage(response.usage)
        reason = (response.incomplete_details or {}).get("reason")
        if kind == "response.completed":
            self._finish = "stop"
        elif kind == "response.incomplete":
            self._finish = "content_filter" if reason == "content_filter" else "length"
        return deltas

    def finish(self) -> Message:
        """The whole answer."""
        kept = dict(self._reasoning)
        for index, parts in self._thought.items():
            kept.setdefault(index, Reasoning("".join(parts), None, _WIRE))
        return self._answer.message(self._finish, [kept[index] for index in sorted(kept)])


def _usage(said: dict[str, Any]) -> Usage:
    read = details(said, "input_tokens_details")
    written = details(said, "output_tokens_details")
    return Usage(
        input=count(said.get("input_tokens")),
        output=count(said.get("output_tokens")),
        cache_read=count(read.get("cached_tokens")),
        cache_write=count(read.get("cache_write_tokens")),
        reasoning=count(written.get("reasoning_tokens")),
    )
