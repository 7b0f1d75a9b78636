"""All servers of `mcp_servers` as one source of tools."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from hermes_agent.bridges.mcp.content import result_of
from hermes_agent.bridges.mcp.link import Link
from hermes_agent.bridges.mcp.naming import named
from hermes_agent.bridges.mcp.opening import opener
from hermes_agent.config.schema.execution import McpServer
from hermes_agent.domain.errors import NotFoundError
from hermes_agent.domain.outside import OutsideResult, OutsideTool
from hermes_agent.policy.injection import suspicion

if TYPE_CHECKING:
    from mcp_types import Tool

    from hermes_agent.bridges.mcp.seen import SeenTools
    from hermes_agent.bridges.mcp.stdio import Program

_MOST_DESCRIPTION = 4000
Launch = Callable[[Sequence[str], Mapping[str, str]], "Program"]
"""The command line and extra variables of a server to how it is really started."""


class McpSource:
    """`domain.outside.ToolSource` over the servers that are turned on.

    They are connected at the first look, side by side. `seen` remembers what tools said about
    themselves when they were first met.
    """

    def __init__(self, servers: Mapping[str, McpServer], launch: Launch, seen: "SeenTools") -> None:
        self._servers = {name: each for name, each in servers.items() if each.enabled}
        self._launch = launch
        self._seen = seen
        self._links: dict[str, Link] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """See `ToolSource`."""
        return tuple(sorted(self._servers))

    async def tools(self) -> Sequence[OutsideTool]:
        """See `ToolSource`."""
        await self._connected()
        found = [tool for link in self._links.values() for tool, _ in self._offered(link)]
        self._seen.save()
        return found

    async def absent(self) -> dict[str, str]:
        """See `ToolSource`."""
        await self._connected()
        return {
            name: link.problem or link.state
            for name, link in self._links.items()
            if link.state != "connected"
        }

    async def call(self, name: str, arguments: dict[str, Any]) -> OutsideResult:
        """See `ToolSource`."""
        await self._connected()
        for link in self._links.values():
            for tool, own in self._offered(link):
                if tool.name == name:
                    return result_of(await link.call(own, arguments))
        raise NotFoundError(f"There is no tool {name!r} of an MCP server.")

    def accept(self, tool: OutsideTool) -> None:
        """See `ToolSource`."""
        self._seen.accept(tool)
        self._seen.save()

    async def close(self) -> None:
        """Disconnect from all; started programs have ended when this returns."""
        links, self._links = list(self._links.values()), {}
        await asyncio.gather(*(link.close() for link in links))

    async def _connected(self) -> None:
        for name, server in self._servers.items():
            if name not in self._links:
                self._links[name] = Link(
                    name,
                    opener(server, self._launch),
                    connect_timeout=server.connect_timeout,
                    timeout=server.timeout,
                )
        await asyncio.gather(*(link.settled() for link in self._links.values()))

    def _offered(self, link: Link) -> list[tuple[OutsideTool, str]]:
        """The tools of a server that its settings let through, with their own names."""
        wanted = self._servers[link.name].tools
        names = named(link.name, [tool.name for tool in link.tools])
        found: list[tuple[OutsideTool, str]] = []
        for tool in link.tools:
            if wanted.include and tool.name not in wanted.include:
                continue
            if tool.name in wanted.exclude:
                continue
            found.append((self._shown(link.name, names[tool.name], tool), tool.name))
        return found

    def _shown(self, server: str, name: str, tool: "Tool") -> OutsideTool:
        hints = tool.annotations
        shown = OutsideTool(
            name=name,
            source=server,
            description=(tool.description or "")[:_MOST_DESCRIPTION],
            parameters=tool.input_schema,
            looks=bool(hints and hints.read_only_hint),
        )
        problem = suspicion(f"{shown.description} {shown.parameters}")
        warning = f"Its description is suspicious: {problem}." if problem else ""
        if self._seen.changed(shown):
            warning = f"It says something else about itself than before. {warning}".strip()
        return msgspec.structs.replace(shown, warning=warning) if warning else shown
