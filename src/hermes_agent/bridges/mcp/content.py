"""What a tool of a server gave, for the model: text as text, data as data, the rest by name."""

from typing import TYPE_CHECKING, Any, cast

from hermes_agent.domain.outside import OutsideResult

if TYPE_CHECKING:
    from mcp_types import CallToolResult


def result_of(result: "CallToolResult") -> OutsideResult:
    """The structured part where there is one, else the texts."""
    ok = not result.is_error
    data: Any = result.structured_content
    if isinstance(data, dict):
        return OutsideResult(data=cast("dict[str, object]", data), ok=ok)
    texts = [_text(block) for block in result.content]
    return OutsideResult(data="\n".join(texts), ok=ok)


def _text(block: Any) -> str:
    if block.type == "text":
        return block.text
    if block.type == "resource" and getattr(block.resource, "text", None):
        return f"[{block.resource.uri}]\n{block.resource.text}"
    if block.type == "resource_link":
        return f"[resource {block.uri}]"
    return f"[{block.type}, {getattr(block, 'mime_type', 'no type')}, not shown]"
