"""OpenAI chat-completions, and what its many imitators make of it.

Source: https://platform.openai.com/docs/api-reference/chat; reasoning fields after
https://openrouter.ai/docs/use-cases/reasoning-tokens, DeepSeek, vLLM and llama.cpp.
"""

import base64
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hermes_agent.domain.messages import Image, Message
from hermes_agent.domain.model import Request
from hermes_agent.providers.target import Target
from hermes_agent.providers.wires.answer import arguments_object
from hermes_agent.providers.wires.chat_decoder import WIRE, ChatDecoder
from hermes_agent.providers.wires.writing import to_json


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
    messages += _messages(target, request.messages)
    if target.caches_blocks:
        _mark(messages, target.cache_ttl)
    body["messages"] = messages
    return to_json(body)


def decoder(target: Target) -> ChatDecoder:
    """A reader for one answer."""
    return ChatDecoder(target)


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


def _messages(target: Target, messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
    seen: list[Image] = []  # by tools, whose answers can hold text only
    for message in messages:
        if seen and message.role != "tool":
            yield {"role": "user", "content": [_image(each) for each in seen]}
            seen = []
        yield _message(target, message)
        if message.role == "tool":
            seen += message.images
    if seen:
        yield {"role": "user", "content": [_image(each) for each in seen]}


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
        states = [part.state for part in message.reasoning if part.wire == WIRE and part.state]
        if states and message.model in (None, target.model):
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
    asked = [each for each in messages if each["role"] in ("user", "tool") and each["content"]]
    for message in [each for each in messages[:1] if each["role"] == "system"] + asked[-2:]:
        content = message["content"]
        parts: list[dict[str, Any]] = (
            [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
        )
        parts[-1] = {**parts[-1], "cache_control": mark}
        message["content"] = parts
