"""This agent as an MCP server: its conversations, and itself to be asked."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from hermes_agent.version import VERSION

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

Rows = list[dict[str, Any]]
_MOST = 50


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """What the server's tools do.

    `latest(limit)` gives conversations, `read(session, message)` the messages round one of them or
    the last ones, `search(query, limit)` conversations that fit; `ask(text, session)` gives the
    agent's answer and the session it stands in. They raise `HermesError`.
    """

    latest: Callable[[int], Awaitable[Rows]]
    read: Callable[[str, int | None], Awaitable[Rows]]
    search: Callable[[str, int], Awaitable[Rows]]
    ask: Callable[[str, str], Awaitable[dict[str, str]]]


def server_of(served: Served) -> "MCPServer":
    """The server; `run_stdio_async` serves until its input ends."""
    from mcp.server.mcpserver import MCPServer
    from mcp_types import ToolAnnotations

    server: MCPServer[Any] = MCPServer("hermes-agent", version=VERSION, log_level="ERROR")
    looks = ToolAnnotations(read_only_hint=True)

    @server.tool(annotations=looks)
    async def conversations_list(limit: int = 20) -> dict[str, Any]:
        """List the latest conversations with the agent."""
        return {"conversations": await served.latest(_within(limit))}

    @server.tool(annotations=looks)
    async def conversation_read(session_id: str, message_id: int | None = None) -> dict[str, Any]:
        """Read a conversation: its last messages, or those round message_id."""
        return {"messages": await served.read(session_id, message_id)}

    @server.tool(annotations=looks)
    async def session_search(query: str, limit: int = 5) -> dict[str, Any]:
        """Find conversations by the words that were said in them."""
        return {"conversations": await served.search(query, _within(limit))}

    @server.tool()
    async def ask(text: str, session: str = "") -> dict[str, str]:
        """Send the agent a message and wait for its answer; session goes on with an earlier one."""
        return await served.ask(text, session)

    del conversations_list, conversation_read, session_search, ask
    return server


def _within(limit: int) -> int:
    return max(1, min(limit, _MOST))
