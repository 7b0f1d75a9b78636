"""All servers of `mcp_servers` as one source of tools."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from hermes_agent.bridges.mcp.content import result_of
from hermes_agent.bridges.mcp.extras import extras, use, wanted
from hermes_agent.bridges.mcp.link import Connect, Link, Signals
from hermes_agent.bridges.mcp.naming import named
from hermes_agent.bridges.mcp.offer import ServerTool
from hermes_agent.bridges.mcp.opening import Launch, opener
from hermes_agent.bridges.mcp.secrecy import blanked
from hermes_agent.config.schema.execution import McpServer
from hermes_agent.domain.errors import NotFoundError
from hermes_agent.domain.outside import OutsideResult, OutsideTool
from hermes_agent.policy.injection import suspicion

if TYPE_CHECKING:
    import httpx2
    from mcp.client.session import SamplingFnT

    from hermes_agent.bridges.mcp.seen import SeenTools

Sign = Callable[[str, McpServer, Signals], "httpx2.Auth"]
"""Signs the requests to a server with `auth: oauth`."""
Sample = Callable[[str, McpServer], "SamplingFnT | None"]
"""What answers a server's own requests to the model; None where it may not ask."""
_Run = Callable[[dict[str, Any]], Awaitable[OutsideResult]]


class McpSource:
    """`domain.outside.ToolSource` over the servers that are turned on.

    They are connected at the first look, side by side. `seen` remembers what tools said about
    themselves when they were first met.
    """

    def __init__(
        self,
        servers: Mapping[str, McpServer],
        launch: Launch,
        seen: "SeenTools",
        *,
        sign: Sign | None = None,
        sample: Sample | None = None,
    ) -> None:
        self._servers = _turned_on(servers)
        self._launch = launch
        self._seen = seen
        self._sign = sign
        self._sample = sample
        self._links: dict[str, Link] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """See `ToolSource`."""
        return tuple(sorted(self._servers))

    async def tools(self) -> Sequence[OutsideTool]:
        """See `ToolSource`."""
        await self._connected()
        found = [tool for tool, _ in self._all()]
        self._seen.save()
        return found

    async def everything(self, server: str) -> Sequence[ServerTool]:
        """All tools of a server as it calls them, also those that its settings leave out."""
        await self._connected()
        return self._links[server].offer.tools

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
        for tool, run in self._all():
            if tool.name == name:
                return await run(arguments)
        raise NotFoundError(f"There is no tool {name!r} of an MCP server.")

    def accept(self, tool: OutsideTool) -> None:
        """See `ToolSource`."""
        self._seen.accept(tool)
        self._seen.save()

    async def change(self, servers: Mapping[str, McpServer]) -> None:
        """From now on these. Connections that stand and whose settings are the same stay."""
        before, self._servers = self._servers, _turned_on(servers)
        gone = [
            name
            for name, link in self._links.items()
            if link.state != "connected" or before.get(name) != self._servers.get(name)
        ]
        await asyncio.gather(*(self._links.pop(name).close() for name in gone))

    async def close(self) -> None:
        """Disconnect from all; started programs have ended when this returns."""
        links, self._links = list(self._links.values()), {}
        await asyncio.gather(*(link.close() for link in links))

    async def _connected(self) -> None:
        for name, server in self._servers.items():
            if name not in self._links:
                self._links[name] = Link(
                    name,
                    self._opener(name, server),
                    connect_timeout=server.connect_timeout,
                    timeout=server.timeout,
                    blank=partial(blanked, server=server),
                )
        await asyncio.gather(*(link.settled() for link in list(self._links.values())))

    def _opener(self, name: str, server: McpServer) -> Connect:
        signs = self._sign is not None and server.auth == "oauth" and bool(server.url)
        return opener(
            server,
            self._launch,
            auth=partial(self._sign, name, server) if signs and self._sign else None,
            sampling=self._sample(name, server) if self._sample else None,
        )

    def _all(self) -> list[tuple[OutsideTool, _Run]]:
        """Of all servers, in the order of the configuration; no two have the same name, though
        those of a server called a_b could be those of a server called a."""
        taken: set[str] = set()
        found: list[tuple[OutsideTool, _Run]] = []
        for name in self._servers:
            if name in self._links:
                found += self._offered(self._links[name], taken)
        return found

    def _offered(self, link: Link, taken: set[str]) -> list[tuple[OutsideTool, _Run]]:
        """The tools of a server that its settings let through, and what runs them."""
        server = self._servers[link.name]
        names = named(link.name, [tool.name for tool in link.offer.tools], taken)
        taken |= set(names.values())
        found: list[tuple[OutsideTool, _Run]] = []
        for tool in link.offer.tools:
            if server.tools.include and tool.name not in server.tools.include:
                continue
            if tool.name in server.tools.exclude:
                continue
            shown = self._shown(link.name, names[tool.name], tool)
            found.append((shown, partial(_call, link, tool.name)))
        more = wanted(link, server.tools)
        for extra, name in named(link.name, more, taken).items():
            taken.add(name)
            about = extras()[extra]
            shown = OutsideTool(
                name=name,
                source=link.name,
                description=about.description,
                parameters=about.parameters,
            )
            found.append((shown, partial(use, link, extra)))
        return found

    def _shown(self, server: str, name: str, tool: ServerTool) -> OutsideTool:
        shown = OutsideTool(
            name=name,
            source=server,
            description=tool.description,
            parameters=tool.parameters,
        )
        problem = suspicion(f"{shown.description} {shown.parameters}")
        warning = f"Its description is suspicious: {problem}." if problem else ""
        if self._seen.changed(shown):
            warning = f"It says something else about itself than before. {warning}".strip()
        return msgspec.structs.replace(shown, warning=warning) if warning else shown


async def _call(link: Link, tool: str, arguments: dict[str, Any]) -> OutsideResult:
    return result_of(await link.request(lambda client: client.call_tool(tool, arguments)))


def _turned_on(servers: Mapping[str, McpServer]) -> dict[str, McpServer]:
    return {name: each for name, each in servers.items() if each.enabled}
