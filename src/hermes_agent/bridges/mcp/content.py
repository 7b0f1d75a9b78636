"""What a server gave, for the model: text as text, data as data, pictures as pictures, the rest by
name."""

from typing import TYPE_CHECKING, Any, cast

import msgspec

from hermes_agent.bridges.mcp.pictures import Pictures
from hermes_agent.domain.outside import OutsideResult

if TYPE_CHECKING:
    from mcp_types import CallToolResult, GetPromptResult, ReadResourceResult

MOST_CHARS = 400_000
"""What is longer would be cut for the model anyway."""
_MOST_NAME = 300


def result_of(result: "CallToolResult") -> OutsideResult:
    """The structured part where there is one, else the texts; pictures in both cases."""
    told = _Told()
    for block in result.content:
        told.block(block)
    data: Any = result.structured_content
    if isinstance(data, dict):
        return told.result(_bounded(cast("dict[str, object]", data)), ok=not result.is_error)
    return told.result(ok=not result.is_error)


def resource_of(result: "ReadResourceResult") -> OutsideResult:
    """The texts and pictures of a resource; what is neither is named."""
    told = _Told()
    for each in result.contents:
        told.content(each)
    return told.result()


def prompt_of(result: "GetPromptResult") -> OutsideResult:
    """The messages of a prompt, each under who says it."""
    told = _Told()
    for each in result.messages:
        told.add(f"[{each.role}]")
        told.block(each.content)
    return told.result()


class _Told:
    """What was told so far, within bounds."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._left = MOST_CHARS
        self._pictures = Pictures()

    def add(self, text: str) -> None:
        if self._left > 0:
            self._texts.append(text[: self._left])
            self._left -= len(text)

    def block(self, block: Any) -> None:
        """One of the five kinds of content, or one of a kind that nobody knows yet."""
        match block.type:
            case "text":
                self.add(block.text)
            case "image":
                self.add(self._pictures.take(block.data, block.mime_type))
            case "resource":
                self.content(block.resource)
            case "resource_link":
                self.add(_link(block))
            case _:
                self.add(_unseen(f"{block.type}", block))

    def content(self, resource: Any) -> None:
        """What stands at an address."""
        text, uri = getattr(resource, "text", None), str(resource.uri)[:_MOST_NAME]
        if text is not None:
            self.add(f"[{uri}]\n{text}")
        elif (resource.mime_type or "").startswith("image/"):
            self.add(f"[{uri}]\n{self._pictures.take(resource.blob, resource.mime_type)}")
        else:
            self.add(_unseen(uri, resource))

    def result(
        self, data: dict[str, object] | str | None = None, *, ok: bool = True
    ) -> OutsideResult:
        """With `data` instead of the texts."""
        told = "\n".join(self._texts) if data is None else data
        return OutsideResult(data=told, ok=ok, images=self._pictures.taken)


def _bounded(data: dict[str, object]) -> dict[str, object] | str:
    try:
        encoded = msgspec.json.encode(data)
    except (msgspec.MsgspecError, RecursionError):
        return "[data that cannot be shown]"
    if len(encoded) <= MOST_CHARS:
        return data
    return encoded[:MOST_CHARS].decode("utf-8", "replace")


def _link(link: Any) -> str:
    """It may be read with the server's tool for resources."""
    words = (str(link.uri), link.name, link.mime_type, link.description)
    return f"[resource {', '.join(word[:_MOST_NAME] for word in words if word)}]"


def _unseen(name: str, holder: Any) -> str:
    """The data's name, kind and size, in bytes before base64."""
    coded = getattr(holder, "data", None) or getattr(holder, "blob", None) or ""
    kind = str(getattr(holder, "mime_type", None) or "no type")[:_MOST_NAME]
    size = len(coded) * 3 // 4 - coded[-2:].count("=")
    return f"[{name}, {kind}, {size:,} bytes, not shown]"
