"""Anthropic Messages, and the vendors that speak it too.

Source: https://docs.anthropic.com/en/api/messages, /messages-streaming, extended thinking and
prompt caching.
"""

import base64
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from hermes_agent.domain.messages import Finish, Image, Message, Reasoning, Usage
from hermes_agent.domain.model import CallDelta, Delta, Effort, ReasoningDelta, Request, TextDelta
from hermes_agent.providers.errors import from_payload
from hermes_agent.providers.target import Target
from hermes_agent.providers.wires.answer import Answer, arguments_object
from hermes_agent.providers.wires.reading import count, details, read_event
from hermes_agent.providers.wires.writing import to_json

_WIRE = "anthropic"
_VERSION = "2023-06-01"
_DEFAULT_LIMIT = 32_000
_BUDGETS: dict[Effort, int] = {
    "minimal": 1_024,
    "low": 4_096,
    "medium": 8_192,
    "high": 16_384,
    "xhigh": 24_576,
}
_CALL_ID = re.compile(r"[a-zA-Z0-9_-]+").fullmatch
_encode = msgspec.json.Encoder().encode
_FINISH: dict[str, Finish] = {
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


def url(target: Target) -> str:
    """The base URL is given with or without its version."""
    return f"{target.base_url.removesuffix('/v1')}/v1/messages"


def headers(target: Target) -> dict[str, str]:
    """An API key, or a subscription's token, which goes another way."""
    held = {"anthropic-version": _VERSION, **target.vendor.headers}
    if target.key:
        key = target.key.reveal()
        if key.startswith("sk-ant-oat"):
            held["authorization"] = f"Bearer {key}"
            held["anthropic-beta"] = "oauth-2025-04-20"
        else:
            held["x-api-key"] = key
    return held


def encode(target: Target, request: Request) -> bytes:
    """Settings, tools, system, then messages: the part that grows comes last."""
    limit = request.max_tokens or target.max_output or _DEFAULT_LIMIT
    body: dict[str, Any] = {"model": target.model, "stream": True, "max_tokens": limit}
    thinking = _thinking(target, request, limit)
    body |= thinking
    # Claude no longer takes one; the vendors that speak its protocol do.
    if request.temperature is not None and _claude_version(target.model) is None:
        body["temperature"] = request.temperature
    body |= target.extra
    mark = (
        {"type": "ephemeral"}
        if target.cache_ttl == "5m"
        else {
            "type": "ephemeral",
            "ttl": target.cache_ttl,
        }
    )
    tools: list[dict[str, Any]] = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
        for tool in request.tools
    ]
    system: list[dict[str, Any]] = (
        [{"type": "text", "text": request.system}] if request.system else []
    )
    messages = _messages(target, request.messages)
    if target.caches_blocks:
        asked = [each["content"] for each in messages if each["role"] == "user"]
        for blocks in (system or tools, *asked[-2:]):
            if blocks:
                blocks[-1]["cache_control"] = mark
    if tools:
        body["tools"] = tools
    if system:
        body["system"] = system
    body["messages"] = messages
    return to_json(body)


def _thinking(target: Target, request: Request, limit: int) -> dict[str, Any]:
    effort = request.effort
    if effort is None:
        return {}
    version = _claude_version(target.model)
    if effort == "none":
        return {"thinking": {"type": "disabled"}} if version is None else {}
    if version is not None and version >= (4, 6):
        level = "low" if effort == "minimal" else effort
        if level == "xhigh" and version < (4, 7):
            level = "high"
        return {
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": level},
        }
    budget = min(_BUDGETS[effort], limit // 2)
    if budget < 1_024 or (version is not None and version < (3, 7)):
        return {}
    # A tool loop that was begun without thinking (by another model) must end without it.
    for message in reversed(request.messages):
        if message.role == "assistant":
            if message.tool_calls and request.messages[-1].role == "tool":
                kept = [each for each in message.reasoning if _goes_back(target, message, each)]
                return {"thinking": {"type": "enabled", "budget_tokens": budget}} if kept else {}
            break
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _claude_version(model: str) -> tuple[int, int] | None:
    """`claude-opus-4-6` and `claude-3-7-sonnet` alike; None for other makers' models."""
    if "claude" not in model.lower():
        return None
    found = re.search(r"-(\d{1,2})(?:[-.](\d{1,2}))?(?![\d])", model)
    return (int(found[1]), int(found[2] or 0)) if found else (99, 0)


def _messages(target: Target, messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The roles take turns here: what follows the same role joins its message."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        blocks = _blocks(target, message)
        role = "assistant" if message.role == "assistant" else "user"
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(target: Target, message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        content: Any = message.content
        if message.images:
            content = [_image(each) for each in message.images]
            if message.content.strip():
                content.insert(0, {"type": "text", "text": message.content})
        return [
            {
                "type": "tool_result",
                "tool_use_id": _call_id(message.tool_call_id or ""),
                "content": content,
            }
        ]
    blocks: list[dict[str, Any]] = []
    if message.role == "user":
        blocks += [_image(each) for each in message.images]
        # Blocks without words are refused.
        if message.content.strip() or not blocks:
            text = message.content if message.content.strip() else "(empty message)"
            blocks.append({"type": "text", "text": text})
        return blocks
    for part in message.reasoning:
        if _goes_back(target, message, part):
            blocks.append({**msgspec.json.decode(part.state or "{}", type=dict[str, Any])})
    if message.content.strip():
        blocks.append({"type": "text", "text": message.content})
    blocks += [
        {
            "type": "tool_use",
            "id": _call_id(call.id),
            "name": call.name,
            "input": msgspec.Raw(arguments_object(call).encode()),
        }
        for call in message.tool_calls
    ]
    return blocks


def _goes_back(target: Target, message: Message, part: Reasoning) -> bool:
    return part.wire == _WIRE and bool(part.state) and message.model in (None, target.model)


def _call_id(call_id: str) -> str:
    """Ids made by other vendors may hold characters that are refused here."""
    return call_id if _CALL_ID(call_id) else re.sub(r"[^a-zA-Z0-9_-]", "_", call_id) or "_"


def _image(image: Image) -> dict[str, Any]:
    if image.url:
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    data = base64.b64encode(image.data).decode()
    source = {"type": "base64", "media_type": image.media_type, "data": data}
    return {"type": "image", "source": source}


class _Block(msgspec.Struct):
    type: str = ""
    id: str = ""
    name: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    input: msgspec.Raw = msgspec.Raw(b"")


class _Said(msgspec.Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class _Head(msgspec.Struct):
    usage: dict[str, Any] | None = None


class _Event(msgspec.Struct):
    type: str = ""
    index: int | None = None
    delta: _Said | None = None
    content_block: _Block | None = None
    message: _Head | None = None
    usage: dict[str, Any] | None = None
    error: Any = None
    content: list[_Block] | None = None
    stop_reason: str | None = None


_decoder = msgspec.json.Decoder(_Event, strict=False)


def decoder(target: Target) -> "AnthropicDecoder":
    """A reader for one answer."""
    return AnthropicDecoder(target)


class _Thought:
    """A thinking block; `redacted` holds what the vendor does not show."""

    __slots__ = ("redacted", "signature", "text")

    def __init__(self, text: str, signature: str, redacted: str | None) -> None:
        self.text = [text]
        self.signature = signature
        self.redacted = redacted


class AnthropicDecoder:
    """Reads one message, streamed or whole."""

    def __init__(self, target: Target) -> None:
        self.ended = False
        self.settled = False
        self._target = target
        self._answer = Answer(target)
        self._thoughts: list[_Thought] = []
        self._slots: dict[int, int] = {}
        self._whole_input: dict[int, str] = {}
        self._usage: dict[str, Any] = {}
        self._stop: str | None = None

    def feed(self, data: bytes) -> Sequence[Delta]:
        """One event."""
        event = read_event(_decoder, self._target, data)
        if event is None:
            return ()
        match event.type:
            case "content_block_delta" if event.delta is not None:
                return self._delta(event.delta, event.index)
            case "content_block_start" if event.content_block is not None:
                return self._start(event.content_block, event.index)
            case "message_start" if event.message is not None:
                self._count(event.message.usage)
            case "message_delta":
                if event.delta is not None and event.delta.stop_reason:
                    self._stop = event.delta.stop_reason
                    self.settled = True
                self._count(event.usage)
            case "message_stop":
                self.ended = True
            case "message":
                return self._whole(event)
            case _:
                if event.error is not None:
                    raise from_payload(self._target, event.error)
        return ()

    def _delta(self, said: _Said, index: int | None) -> Sequence[Delta]:
        if said.text:
            self._answer.text.append(said.text)
            return (TextDelta(said.text),)
        if said.partial_json:
            slot = self._slots.get(-1 if index is None else index, len(self._answer.calls) - 1)
            if slot < 0:
                return ()
            self._whole_input.pop(slot, None)
            self._answer.calls[slot].arguments.append(said.partial_json)
            return (CallDelta(slot, "", said.partial_json),)
        if said.thinking or said.signature:
            if not self._thoughts:
                self._thoughts.append(_Thought("", "", None))
            thought = self._thoughts[-1]
            thought.signature += said.signature or ""
            if said.thinking:
                thought.text.append(said.thinking)
                return (ReasoningDelta(said.thinking),)
        return ()

    def _start(self, block: _Block, index: int | None) -> Sequence[Delta]:
        if block.type == "tool_use":
            slot, opened = self._answer.open_call(call_id=block.id, name=block.name)
            if index is not None:
                self._slots[index] = slot
            given = bytes(block.input).decode("utf-8", "replace").strip()
            if given not in ("", "{}", "null"):
                self._whole_input[slot] = given  # some imitators send no deltas after it
            return (opened,)
        if block.type == "thinking":
            self._thoughts.append(_Thought(block.thinking or "", block.signature or "", None))
            return (ReasoningDelta(block.thinking),) if block.thinking else ()
        if block.type == "redacted_thinking":
            self._thoughts.append(_Thought("", "", block.data or ""))
        if block.type == "text":
            # Blocks of one answer become one text.
            text = block.text or ""
            if text:
                self._answer.text.append(text)
                return (TextDelta(text),)
        return ()

    def _whole(self, event: _Event) -> list[Delta]:
        deltas: list[Delta] = []
        for number, block in enumerate(event.content or ()):
            deltas += self._start(block, number)
        self._stop = event.stop_reason
        self._count(event.usage)
        self.ended = True
        return deltas

    def _count(self, usage: dict[str, Any] | None) -> None:
        # The later counts are cumulative; zeros in between are not news.
        for key, value in (usage or {}).items():
            if value or key not in self._usage:
                self._usage[key] = value

    def finish(self) -> Message:
        """The whole answer."""
        for slot, given in self._whole_input.items():
            self._answer.calls[slot].arguments.append(given)
        if self._usage:
            self._answer.usage = _usage(self._usage)
        finish: Finish | None = None
        if self._stop is not None:
            finish = _FINISH.get(self._stop, "stop")
        return self._answer.message(finish, [_reasoning(each) for each in self._thoughts])


def _reasoning(thought: _Thought) -> Reasoning:
    """The block itself is the state: it goes back as it came."""
    text = "".join(thought.text)
    block: dict[str, Any]
    if thought.redacted is not None:
        block = {"type": "redacted_thinking", "data": thought.redacted}
    elif thought.signature:
        block = {"type": "thinking", "thinking": text, "signature": thought.signature}
    else:
        return Reasoning(text, None, _WIRE)
    return Reasoning(text, _encode(block).decode(), _WIRE)


def _usage(said: dict[str, Any]) -> Usage:
    read = count(said.get("cache_read_input_tokens"))
    written = count(said.get("cache_creation_input_tokens"))
    written_out = details(said, "output_tokens_details")
    return Usage(
        input=count(said.get("input_tokens")) + read + written,
        output=count(said.get("output_tokens")),
        cache_read=read,
        cache_write=written,
        reasoning=count(written_out.get("thinking_tokens")),
    )
