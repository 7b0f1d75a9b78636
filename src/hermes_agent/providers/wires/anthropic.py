"""Anthropic Messages, and the vendors that speak it too.

Source: https://docs.anthropic.com/en/api/messages, /messages-streaming, extended thinking and
prompt caching.
"""

import base64
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from hermes_agent.domain.messages import Image, Message, Reasoning
from hermes_agent.domain.model import Effort, Request
from hermes_agent.providers.target import Target
from hermes_agent.providers.wires.answer import arguments_object
from hermes_agent.providers.wires.anthropic_decoder import WIRE, AnthropicDecoder
from hermes_agent.providers.wires.writing import to_json

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
    return part.wire == WIRE and bool(part.state) and message.model in (None, target.model)


def _call_id(call_id: str) -> str:
    """Ids made by other vendors may hold characters that are refused here."""
    return call_id if _CALL_ID(call_id) else re.sub(r"[^a-zA-Z0-9_-]", "_", call_id) or "_"


def _image(image: Image) -> dict[str, Any]:
    if image.url:
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    data = base64.b64encode(image.data).decode()
    source = {"type": "base64", "media_type": image.media_type, "data": data}
    return {"type": "image", "source": source}


def decoder(target: Target) -> AnthropicDecoder:
    """A reader for one answer."""
    return AnthropicDecoder(target)
