"""What a server gave, for the model: text as text, data as data, the rest by name."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import msgspec

from hermes_agent.domain.outside import OutsideResult

if TYPE_CHECKING:
    from mcp_types import CallToolResult, GetPromptResult, ReadResourceResult

MOST_CHARS = 400_000
"""What is longer would be cut for the model anyway."""


def result_of(result: "CallToolResult") -> OutsideResult:
    """The structured part where there is one, else the texts."""
    ok = not result.is_error
    data: Any = result.structured_content
    if isinstance(data, dict):
        return OutsideResult(data=_bounded(cast("dict[str, object]", data)), ok=ok)
    return OutsideResult(data=_joined(_text(block) for block in result.content), ok=ok)


def resource_of(result: "ReadResourceResult") -> OutsideResult:
    """The texts of a resource; what is not text is named."""
    return OutsideResult(data=_joined(_content(each) for each in result.contents))


def prompt_of(result: "GetPromptResult") -> OutsideResult:
    """The messages of a prompt, each under who says it."""
    said = (f"[{each.role}]\n{_text(each.content)}" for each in result.messages)
    return OutsideResult(data=_joined(said))


def _bounded(data: dict[str, object]) -> dict[str, object] | str:
    try:
        encoded = msgspec.json.encode(data)
    except (msgspec.MsgspecError, RecursionError):
        return "[data that cannot be shown]"
    if len(encoded) <= MOST_CHARS:
        return data
    return encoded[:MOST_CHARS].decode("utf-8", "replace")


def _joined(texts: Iterable[str]) -> str:
    pieces: list[str] = []
    left = MOST_CHARS
    for text in texts:
        if left <= 0:
            break
        pieces.append(text[:left])
        left -= len(text)
    return "\n".join(pieces)


def _text(block: Any) -> str:
    if block.type == "text":
        return block.text
    if block.type == "resource":
        return _content(block.resource)
    if block.type == "resource_link":
        return f"[resource {block.uri}]"
    return f"[{block.type}, {getattr(block, 'mime_type', 'no type')}, not shown]"


def _content(resource: Any) -> str:
    text = getattr(resource, "text", None)
    if text is None:
        return f"[{resource.uri}, {resource.mime_type or 'no type'}, not shown]"
    return f"[{resource.uri}]\n{text}"
