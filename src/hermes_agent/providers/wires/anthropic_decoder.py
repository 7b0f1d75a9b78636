"""Reading answers of Anthropic Messages.

Source: https://docs.anthropic.com/en/api/messages-streaming.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from hermes_agent.domain.messages import Finish, Message, Reasoning, Usage
from hermes_agent.domain.model import CallDelta, Delta, ReasoningDelta, TextDelta
from hermes_agent.providers.errors import from_payload
from hermes_agent.providers.target import Target
from hermes_agent.providers.wires.answer import Answer
from hermes_agent.providers.wires.reading import count, details, read_event

WIRE = "anthropic"
_encode = msgspec.json.Encoder().encode
_FINISH: dict[str, Finish] = {
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


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
        return Reasoning(text, None, WIRE)
    return Reasoning(text, _encode(block).decode(), WIRE)


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
