"""What a server offers, held within bounds: it may say as much as it likes, we keep what fits."""

import logging
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from mcp import Client
    from mcp_types import Tool

MOST_TOOLS = 2000
MOST_DESCRIPTION = 4000
_MOST_PAGES = 200
_MOST_NAME = 200
_MOST_SCHEMA = 32_000
_MOST_BYTES = 16_000_000
_ANYTHING: dict[str, Any] = {
    "type": "object",
    "description": "The server's own schema is too long to be shown.",
}
_log = logging.getLogger(__name__)


class ServerTool(msgspec.Struct, frozen=True):
    """A tool as the server calls and describes it. What it claims to do or not to do (the
    annotations) is left out: nothing here may depend on it."""

    name: str
    description: str
    parameters: dict[str, Any]


class Offer(msgspec.Struct, frozen=True):
    """The tools of a server, and whether it has any resources and prompts."""

    tools: tuple[ServerTool, ...] = ()
    resources: bool = False
    prompts: bool = False


async def offer_of(client: "Client", server: str) -> Offer:
    """What the server offers now. Tools without a name, or with one that came before, and what is
    more than a model could ever choose from, are left out."""
    can = client.server_capabilities
    tools = await _tools(client, server) if can.tools is not None else ()
    # Many servers say that they have what they have none of.
    return Offer(
        tools,
        can.resources is not None and await _any_resources(client),
        can.prompts is not None and await _any_prompts(client),
    )


async def _any_resources(client: "Client") -> bool:
    from mcp.shared.exceptions import MCPError

    try:
        if (await client.list_resources(cache_mode="refresh")).resources:
            return True
        return bool((await client.list_resource_templates(cache_mode="refresh")).resource_templates)
    except (MCPError, ValueError):
        return False


async def _any_prompts(client: "Client") -> bool:
    from mcp.shared.exceptions import MCPError

    try:
        return bool((await client.list_prompts(cache_mode="refresh")).prompts)
    except (MCPError, ValueError):
        return False


async def _tools(client: "Client", server: str) -> tuple[ServerTool, ...]:
    found: dict[str, ServerTool] = {}
    size = 0
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor, cache_mode="refresh")
        for tool in page.tools:
            if not tool.name.strip() or len(tool.name) > _MOST_NAME or tool.name in found:
                continue
            kept, length = _kept(tool)
            size += length
            if len(found) >= MOST_TOOLS or size > _MOST_BYTES:
                _log.warning("MCP server %s offers too much: %d tools are used", server, len(found))
                return tuple(found.values())
            found[tool.name] = kept
        if not page.next_cursor or page.next_cursor == cursor:
            break
        cursor = page.next_cursor
    return tuple(found.values())


def _kept(tool: "Tool") -> tuple[ServerTool, int]:
    try:
        length = len(msgspec.json.encode(tool.input_schema))
    except (msgspec.MsgspecError, RecursionError):
        length = _MOST_SCHEMA + 1
    fits = length <= _MOST_SCHEMA
    kept = ServerTool(
        tool.name,
        (tool.description or "")[:MOST_DESCRIPTION],
        tool.input_schema if fits else _ANYTHING,
    )
    return kept, len(kept.description) + (length if fits else 0)
