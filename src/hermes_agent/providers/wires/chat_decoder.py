"""Reading chat-completions answers, however a server writes them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from hermes_agent.domain.messages import Finish, Message, Reasoning, Usage
from hermes_agent.domain.model import CallDelta, Delta, ReasoningDelta, TextDelta
from hermes_agent.providers.errors import from_payload
from hermes_agent.providers.target import Target
from hermes_agent.providers.wires.answer import Answer
from hermes_agent.providers.wires.reading import count, details, read_event

WIRE = "chat_completions"
_FINISH: dict[str, Finish] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
}


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: Any = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Piece(msgspec.Struct):
    type: str = ""
    text: str | None = None
    thinking: "str | list[_Piece] | None" = None


class _Said(msgspec.Struct):
    content: str | list[_Piece] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_text: str | None = None
    thinking: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    tool_calls: list[_Call] | None = None
    function_call: _Function | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None
    error: Any = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


_decoder = msgspec.json.Decoder(_Chunk, strict=False)


class ChatDecoder:
    """Reads one streamed (or, where a server does not stream, whole) completion."""

    def __init__(self, target: Target) -> None:
        self.ended = False
        self.settled = False
        self._target = target
        self._answer = Answer(target)
        self._reasoning: list[str] = []
        self._details: list[dict[str, Any]] = []
        self._finish: str | None = None
        self._slots: dict[int, int] = {}

    def feed(self, data: bytes) -> Sequence[Delta]:
        """One chunk of the completion."""
        if data == b"[DONE]":
            self.ended = True
            return ()
        chunk = read_event(_decoder, self._target, data)
        if chunk is None:
            return ()
        if chunk.error is not None:
            raise from_payload(self._target, chunk.error)
        if chunk.usage:
            self._answer.usage = _usage(chunk.usage)
        if not chunk.choices:
            return ()
        choice = chunk.choices[0]
        if choice.error is not None:
            raise from_payload(self._target, choice.error)
        if choice.finish_reason and choice.finish_reason != "error":
            self._finish = choice.finish_reason
            self.settled = True
        said = choice.delta or choice.message
        if said is None:
            return ()
        content = said.content
        if (
            isinstance(content, str)
            and content
            and said.tool_calls is None
            and said.reasoning_details is None
        ):
            deltas: list[Delta] = []
            thought = said.reasoning_content or said.reasoning
            if thought:
                self._reasoning.append(thought)
                deltas.append(ReasoningDelta(thought))
            self._answer.text.append(content)
            deltas.append(TextDelta(content))
            return deltas
        return self._rest(said)

    def _rest(self, said: _Said) -> list[Delta]:
        deltas: list[Delta] = []
        text, thought = _parts(said)
        if said.reasoning_details:
            thought = self._keep_details(said.reasoning_details) or thought
        if thought:
            self._reasoning.append(thought)
            deltas.append(ReasoningDelta(thought))
        if text:
            self._answer.text.append(text)
            deltas.append(TextDelta(text))
        calls = said.tool_calls or ()
        if said.function_call and not calls:
            calls = (_Call(index=0, function=said.function_call),)
        for call in calls:
            deltas += self._call(call)
        return deltas

    def _call(self, call: _Call) -> list[Delta]:
        function = call.function or _Function()
        name = function.name or ""
        arguments = function.arguments or ""
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        deltas: list[Delta] = []
        slot = self._slot(call, name, arguments)
        if slot is None:
            slot, opened = self._answer.open_call(call_id=call.id or "", name=name)
            deltas.append(opened)
            if call.index is not None:
                self._slots[call.index] = slot
        partial = self._answer.calls[slot]
        partial.id = partial.id or call.id or ""
        if name and not partial.name:
            partial.name = name
            deltas.append(CallDelta(slot, name))
        if arguments:
            partial.arguments.append(arguments)
            deltas.append(CallDelta(slot, "", arguments))
        return deltas

    def _slot(self, call: _Call, name: str, arguments: str) -> int | None:
        """Which open call this piece belongs to; None when it begins a new one.

        Servers number pieces, or name them by id, or do neither, or number all of them 0.
        """
        calls = self._answer.calls
        if call.index is not None:
            slot = self._slots.get(call.index)
            if slot is None:
                return None
        elif call.id:
            known = [n for n, each in enumerate(calls) if each.id == call.id]
            if not known:
                return None
            slot = known[-1]
        else:
            if not calls:
                return None
            slot = len(calls) - 1
        held = calls[slot]
        if not name or not held.name:
            return slot
        if call.id and held.id and call.id != held.id:
            return None
        numbered = call.index is not None and bool(call.id)
        return None if arguments and not numbered and held.complete else slot

    def _keep_details(self, details: list[dict[str, Any]]) -> str:
        """Pieces of one block are joined, so that they go back as the vendor wants them."""
        thought = ""
        for detail in details:
            said = detail.get("text") or detail.get("summary")
            thought += said if isinstance(said, str) else ""
            last = self._details[-1] if self._details else None
            if (
                last is None
                or detail.get("type") == "reasoning.encrypted"
                or any(last.get(key) != detail.get(key) for key in ("type", "index"))
            ):
                self._details.append(dict(detail))
                continue
            for key, value in detail.items():
                before = last.get(key)
                if key in ("text", "summary") and isinstance(value, str):
                    last[key] = before + value if isinstance(before, str) else value
                elif value is not None:
                    last[key] = value
        return thought

    def finish(self) -> Message:
        """The whole answer. One without a finish reason is broken off, [DONE] or not."""
        finish: Finish | None = None
        if self._finish is not None:
            finish = _FINISH.get(self._finish.lower(), "stop")
        reasoning: list[Reasoning] = []
        if self._reasoning or self._details:
            state = msgspec.json.encode(self._details).decode() if self._details else None
            reasoning.append(Reasoning("".join(self._reasoning), state, WIRE))
        return self._answer.message(finish, reasoning)


def _parts(said: _Said) -> tuple[str, str]:
    """Text and reasoning, wherever this server puts them."""
    thought = said.reasoning_content or said.reasoning or said.thinking or said.reasoning_text or ""
    content = said.content
    if isinstance(content, str):
        return content or said.refusal or "", thought
    text = ""
    for part in content or ():
        inner = part.thinking
        if isinstance(inner, list):
            inner = "".join(each.text or "" for each in inner)
        thought += inner or ""
        text += part.text or ""
    return text or said.refusal or "", thought


def _usage(said: dict[str, Any]) -> Usage:
    prompt = details(said, "prompt_tokens_details")
    completion = details(said, "completion_tokens_details")
    cost = said.get("cost")
    return Usage(
        input=count(said.get("prompt_tokens")),
        output=count(said.get("completion_tokens")),
        cache_read=count(prompt.get("cached_tokens") or said.get("prompt_cache_hit_tokens")),
        cache_write=count(prompt.get("cache_write_tokens")),
        reasoning=count(completion.get("reasoning_tokens")),
        cost_usd=float(cost) if isinstance(cost, int | float) else None,
    )
