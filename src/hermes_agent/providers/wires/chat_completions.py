"""OpenAI chat-completions, and what its many imitators make of it.

Source: https://platform.openai.com/docs/api-reference/chat; reasoning fields after
https://openrouter.ai/docs/use-cases/reasoning-tokens, DeepSeek, vLLM and llama.cpp.
"""

import base64
from collections.abc import Sequence
from typing import Any

import msgspec

from hermes_agent.domain.errors import BadResponse
from hermes_agent.domain.messages import Finish, Image, Message, Reasoning, Usage
from hermes_agent.domain.model import CallDelta, Delta, ReasoningDelta, Request, TextDelta
from hermes_agent.providers.errors import from_payload, not_json
from hermes_agent.providers.target import Target
from hermes_agent.providers.wires.answer import Answer, arguments_object

_WIRE = "chat_completions"
_encode = msgspec.json.Encoder().encode
_FINISH: dict[str, Finish] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
}


def url(target: Target) -> str:
    """Below the base URL, which holds the version."""
    return f"{target.base_url}/chat/completions"


def headers(target: Target) -> dict[str, str]:
    """A bearer token and the vendor's own."""
    held = dict(target.vendor.headers)
    if target.key:
        held["authorization"] = f"Bearer {target.key.reveal()}"
    return held


def encode(target: Target, request: Request) -> bytes:
    """Settings, tools, then messages: the part that grows comes last."""
    quirks = target.vendor.quirks
    body: dict[str, Any] = {"model": target.model, "stream": True}
    if quirks.stream_usage:
        body["stream_options"] = {"include_usage": True}
    limit = request.max_tokens or target.max_output
    if limit:
        body[quirks.max_tokens] = limit
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.effort:
        body |= _effort(target, request.effort)
    if quirks.cache == "key" and request.session_id:
        body["prompt_cache_key"] = request.session_id
    body |= target.extra
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            }
            for tool in request.tools
        ]
    messages: list[dict[str, Any]] = []
    if request.system:
        messages.append({"role": "system", "content": request.system})
    messages += [_message(target, each) for each in request.messages]
    if target.caches_blocks:
        _mark(messages, target.cache_ttl)
    body["messages"] = messages
    return _encode(body)


def _effort(target: Target, effort: str) -> dict[str, Any]:
    match target.vendor.quirks.effort:
        case "reasoning_effort":
            return {"reasoning_effort": effort}
        case "reasoning":
            return {"reasoning": {"effort": effort}}
        case "thinking":
            return {"thinking": {"type": "disabled" if effort == "none" else "enabled"}}
        case "enable_thinking":
            return {"enable_thinking": effort != "none"}
        case _:
            return {}


def _message(target: Target, message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {
            "role": "tool",
            "tool_call_id": message.tool_call_id or "",
            "content": message.content,
        }
    if message.role == "user":
        if not message.images:
            return {"role": "user", "content": message.content}
        parts: list[dict[str, Any]] = [_image(each) for each in message.images]
        if message.content:
            parts.append({"type": "text", "text": message.content})
        return {"role": "user", "content": parts}
    shown: dict[str, Any] = {"role": "assistant", "content": message.content or None}
    echo = target.vendor.quirks.echo
    if echo == "reasoning_content":
        text = "".join(part.text for part in message.reasoning)
        if text:
            shown["reasoning_content"] = text
    elif echo == "reasoning_details":
        states = [part.state for part in message.reasoning if part.wire == _WIRE and part.state]
        if states and message.model == target.model:
            shown["reasoning_details"] = msgspec.Raw(states[0].encode())
    if message.tool_calls:
        shown["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": arguments_object(call)},
            }
            for call in message.tool_calls
        ]
    elif not message.content:
        shown["content"] = ""
    return shown


def _image(image: Image) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": image.url or data_url(image)}}


def data_url(image: Image) -> str:
    """The picture itself as a URL."""
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def _mark(messages: list[dict[str, Any]], ttl: str) -> None:
    """Cache breakpoints on the system prompt and the last two messages that are not ours."""
    mark = {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}
    asked = [each for each in messages if each["role"] in ("user", "tool")]
    for message in [each for each in messages[:1] if each["role"] == "system"] + asked[-2:]:
        content = message["content"]
        parts = (
            [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
        )
        if parts and parts[-1].get("text", "x"):
            parts[-1] = {**parts[-1], "cache_control": mark}
            message["content"] = parts


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: Any = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Said(msgspec.Struct):
    content: Any = None
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
    index: int | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Chunk, strict=False).decode


def decoder(target: Target) -> "ChatDecoder":
    """A reader for one answer."""
    return ChatDecoder(target)


class ChatDecoder:
    """Reads one streamed (or, where a server does not stream, whole) completion."""

    def __init__(self, target: Target) -> None:
        self.ended = False
        self._target = target
        self._answer = Answer(target)
        self._reasoning: list[str] = []
        self._details: list[dict[str, Any]] = []
        self._finish: str | None = None
        self._slots: dict[int, int] = {}

    def feed(self, data: bytes) -> Sequence[Delta]:
        """One chunk of the completion."""
        try:
            chunk = _decode(data)
        except msgspec.ValidationError as error:
            if not data.lstrip().startswith(b"{"):
                return ()  # keep-alives of some proxies: valid JSON that says nothing
            raise BadResponse(
                f"{self._target.vendor.label} sent a chunk of another shape: {error}."
            ) from None
        except msgspec.DecodeError:
            if data.strip() == b"[DONE]":
                self.ended = True
                return ()
            if not data.strip():
                return ()
            again = not_json(self._target, data)
            return self.feed(again)
        if chunk.error is not None:
            raise from_payload(self._target, chunk.error)
        if chunk.usage:
            self._answer.usage = _usage(chunk.usage)
        if not chunk.choices:
            return ()
        choice = chunk.choices[0]
        if choice.finish_reason:
            self._finish = choice.finish_reason
        said = choice.delta or choice.message
        if said is None:
            return ()
        content = said.content
        if (
            content.__class__ is str
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
            thought += str(detail.get("text") or detail.get("summary") or "")
            last = self._details[-1] if self._details else None
            same = last is not None and all(
                last.get(key) == detail.get(key) for key in ("type", "index")
            )
            if last is None or not same or detail.get("type") == "reasoning.encrypted":
                self._details.append(dict(detail))
                continue
            for key, value in detail.items():
                if key in ("text", "summary") and value:
                    last[key] = (last.get(key) or "") + value
                elif value is not None:
                    last[key] = value
        return thought

    def finish(self) -> Message:
        """The whole answer. Servers that end with [DONE] and give no reason are believed."""
        finish: Finish | None = None
        if self._finish is not None:
            finish = _FINISH.get(self._finish.lower(), "stop")
        elif self.ended and all(call.complete for call in self._answer.calls):
            finish = "stop"
        reasoning: list[Reasoning] = []
        if self._reasoning or self._details:
            state = msgspec.json.encode(self._details).decode() if self._details else None
            reasoning.append(Reasoning("".join(self._reasoning), state, _WIRE))
        return self._answer.message(finish, reasoning)


def _parts(said: _Said) -> tuple[str, str]:
    """Text and reasoning, wherever this server puts them."""
    thought = (
        said.reasoning_content or said.reasoning or said.thinking or said.reasoning_text or ""
    )
    content = said.content
    if isinstance(content, str):
        return content or said.refusal or "", thought
    text = ""
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict):
            kind, inner = part.get("type"), part.get("text") or part.get("thinking")
            if isinstance(inner, list):
                inner = "".join(str(each.get("text", "")) for each in inner)
            if kind == "thinking":
                thought += str(inner or "")
            else:
                text += str(inner or "")
    return text or said.refusal or "", thought


def _usage(said: dict[str, Any]) -> Usage:
    prompt = said.get("prompt_tokens_details") or {}
    completion = said.get("completion_tokens_details") or {}
    cost = said.get("cost")
    return Usage(
        input=count(said.get("prompt_tokens")),
        output=count(said.get("completion_tokens")),
        cache_read=count(prompt.get("cached_tokens") or said.get("prompt_cache_hit_tokens")),
        cache_write=count(prompt.get("cache_write_tokens")),
        reasoning=count(completion.get("reasoning_tokens")),
        cost_usd=float(cost) if isinstance(cost, int | float) else None,
    )


def count(value: object) -> int:
    """A vendor's number of tokens; whatever is no number counts as none."""
    return int(value) if isinstance(value, int | float) and value > 0 else 0
