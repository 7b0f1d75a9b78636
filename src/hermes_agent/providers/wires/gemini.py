"""Google's Gemini API (generateContent).

Source: https://ai.google.dev/api/generate-content, thinking and thought signatures. A stream has
no end mark of its own: the finish reason is the last that counts.
"""

import base64
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from hermes_agent.domain.errors import BadResponse, ContentRefused
from hermes_agent.domain.messages import Finish, Image, Message, Reasoning, Usage
from hermes_agent.domain.model import CallDelta, Delta, ReasoningDelta, Request, TextDelta
from hermes_agent.providers.errors import from_payload
from hermes_agent.providers.target import Target
from hermes_agent.providers.wires.answer import Answer, arguments_object
from hermes_agent.providers.wires.reading import count, read_event
from hermes_agent.providers.wires.writing import to_json

_WIRE = "gemini"
# What Google's documentation gives for calls that another model made.
_NO_SIGNATURE = "skip_thought_signature_validator"
_BUDGETS = {
    "none": 0,
    "minimal": 512,
    "low": 2_048,
    "medium": 8_192,
    "high": 16_384,
    "xhigh": 24_576,
}
_LEVELS = {"none": "low", "minimal": "minimal", "xhigh": "high"}
_encode = msgspec.json.Encoder().encode
_FINISH: dict[str, Finish] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "MODEL_ARMOR": "content_filter",
}
_MALFORMED = frozenset({"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"})


def url(target: Target) -> str:
    """The model is part of the path."""
    base = target.base_url
    if not re.search(r"/v\d\w*$", base):
        base += "/v1beta"
    return f"{base}/models/{target.model.removeprefix('models/')}:streamGenerateContent?alt=sse"


def headers(target: Target) -> dict[str, str]:
    """The key goes in a header, never in the URL."""
    held = dict(target.vendor.headers)
    if target.key:
        held["x-goog-api-key"] = target.key.reveal()
    return held


def encode(target: Target, request: Request) -> bytes:
    """Settings, instruction, tools, then contents: the part that grows comes last."""
    body: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    limit = request.max_tokens or target.max_output
    if limit:
        settings["maxOutputTokens"] = limit
    if request.temperature is not None:
        settings["temperature"] = request.temperature
    thinking = _thinking(target.model, request.effort)
    if thinking:
        settings["thinkingConfig"] = thinking
    if settings:
        body["generationConfig"] = settings
    body |= target.extra
    if request.system:
        body["systemInstruction"] = {"parts": [{"text": request.system}]}
    if request.tools:
        body["tools"] = [
            {
                "functionDeclarations": [
                    {
                        "name": tool.name,
                        "description": tool.description,
                        "parametersJsonSchema": tool.parameters,
                    }
                    for tool in request.tools
                ]
            }
        ]
    body["contents"] = _contents(target, request.messages)
    return to_json(body)


def _thinking(model: str, effort: str | None) -> dict[str, Any]:
    if effort is None:
        return {}
    if "2.5" in model:
        least = 128 if "pro" in model else 0
        return {"thinkingBudget": max(_BUDGETS[effort], least), "includeThoughts": effort != "none"}
    if _signs(model):
        return {"thinkingLevel": _LEVELS.get(effort, effort), "includeThoughts": True}
    return {}


@cache
def _signs(model: str) -> bool:
    """Whether it is of the generation that thinks by level and signs its calls."""
    return re.search(r"gemini-[3-9]", model) is not None


def _contents(target: Target, messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The roles take turns: results of parallel calls stand together."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        parts = _parts(target, message)
        role = "model" if message.role == "assistant" else "user"
        if not parts:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"] += parts
        else:
            turns.append({"role": role, "parts": parts})
    return turns


def _parts(target: Target, message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        answer = {
            "id": message.tool_call_id or "",
            "name": message.tool_name or "tool",
            "response": {"result": message.content},
        }
        return [{"functionResponse": answer}, *map(_image, message.images)]
    parts: list[dict[str, Any]] = []
    if message.role == "user":
        parts += [_image(each) for each in message.images]
        if message.content or not parts:
            parts.append({"text": message.content or "(empty message)"})
        return parts
    own = message.model in (None, target.model)
    signature = next(
        (part.state for part in message.reasoning if own and part.wire == _WIRE and part.state),
        None,
    )
    if message.content:
        text: dict[str, Any] = {"text": message.content}
        if signature:
            text["thoughtSignature"] = msgspec.Raw(signature.encode())
        parts.append(text)
    signs = _signs(target.model)
    for number, call in enumerate(message.tool_calls):
        arguments = msgspec.Raw(arguments_object(call).encode())
        part: dict[str, Any] = {
            "functionCall": {"id": call.id, "name": call.name, "args": arguments}
        }
        if own and call.state:
            part["thoughtSignature"] = msgspec.Raw(call.state.encode())
        elif number == 0 and signs:
            part["thoughtSignature"] = _NO_SIGNATURE
        parts.append(part)
    return parts


def _image(image: Image) -> dict[str, Any]:
    if image.url:
        return {"fileData": {"mimeType": image.media_type, "fileUri": image.url}}
    data = base64.b64encode(image.data).decode()
    return {"inlineData": {"mimeType": image.media_type, "data": data}}


class _Function(msgspec.Struct):
    name: str = ""
    id: str | None = None
    args: msgspec.Raw = msgspec.Raw(b"")


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: _Function | None = None


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class _Chunk(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    usage_metadata: dict[str, Any] | None = None
    prompt_feedback: _Feedback | None = None
    error: Any = None


_decoder = msgspec.json.Decoder(_Chunk, strict=False)
_whole = msgspec.json.Decoder(list[msgspec.Raw])


def decoder(target: Target) -> "GeminiDecoder":
    """A reader for one answer."""
    return GeminiDecoder(target)


class GeminiDecoder:
    """Reads one answer from partial responses, or from the array that a plain call gives."""

    def __init__(self, target: Target) -> None:
        self.ended = False
        self.settled = False
        self._target = target
        self._answer = Answer(target)
        self._thoughts: list[str] = []
        self._signature: str | None = None
        self._finish: str | None = None
        self._detail = ""

    def feed(self, data: bytes) -> Sequence[Delta]:
        """One partial response."""
        if data[:1] == b"[" and data != b"[DONE]":
            return [
                delta
                for each in read_event(_whole, self._target, data) or ()
                for delta in self.feed(bytes(each))
            ]
        if data == b"[DONE]":
            return ()
        chunk = read_event(_decoder, self._target, data)
        if chunk is None:
            return ()
        if chunk.error is not None:
            raise from_payload(self._target, chunk.error)
        if chunk.usage_metadata:
            self._answer.usage = _usage(chunk.usage_metadata)
        if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason:
            raise ContentRefused(
                f"{self._target.vendor.label} refused the prompt: "
                f"{chunk.prompt_feedback.block_reason}.",
                hint="Say it in other words, or choose another model.",
                vendor=self._target.vendor.id,
            )
        if not chunk.candidates:
            return ()
        candidate = chunk.candidates[0]
        if candidate.finish_reason and candidate.finish_reason != "FINISH_REASON_UNSPECIFIED":
            self._finish = candidate.finish_reason
            self._detail = candidate.finish_message or ""
            self.settled = True
        deltas: list[Delta] = []
        for part in (candidate.content.parts if candidate.content else None) or ():
            deltas += self._part(part)
        return deltas

    def _part(self, part: _Part) -> list[Delta]:
        if part.function_call is not None:
            return self._call(part.function_call, part.thought_signature)
        if part.thought_signature:
            self._signature = part.thought_signature
        if not part.text:
            return []
        if part.thought:
            self._thoughts.append(part.text)
            return [ReasoningDelta(part.text)]
        self._answer.text.append(part.text)
        return [TextDelta(part.text)]

    def _call(self, function: _Function, signature: str | None) -> list[Delta]:
        state = None if signature is None else _encode(signature).decode()
        slot, opened = self._answer.open_call(
            call_id=function.id or "", name=function.name, state=state
        )
        given = bytes(function.args).decode("utf-8", "replace").strip()
        if given[:1] == '"':  # arguments that are no object: handed on as the text they are
            given = msgspec.json.decode(given, type=str)
        if not given or given == "null":
            return [opened]
        self._answer.calls[slot].arguments.append(given)
        return [opened, CallDelta(slot, "", given)]

    def finish(self) -> Message:
        """The whole answer."""
        if self._finish in _MALFORMED and not self._answer.calls:
            raise BadResponse(
                f"{self._target.model} wrote a malformed answer: {self._detail or self._finish}",
                vendor=self._target.vendor.id,
            )
        finish: Finish | None = None
        if self._finish is not None:
            finish = _FINISH.get(self._finish, "stop")
        reasoning: list[Reasoning] = []
        if self._thoughts or self._signature:
            state = None if self._signature is None else _encode(self._signature).decode()
            reasoning.append(Reasoning("".join(self._thoughts), state, _WIRE))
        return self._answer.message(finish, reasoning)


def _usage(said: dict[str, Any]) -> Usage:
    thought = count(said.get("thoughtsTokenCount"))
    return Usage(
        input=count(said.get("promptTokenCount")) + count(said.get("toolUsePromptTokenCount")),
        output=count(said.get("candidatesTokenCount")) + thought,
        cache_read=count(said.get("cachedContentTokenCount")),
        reasoning=thought,
    )
