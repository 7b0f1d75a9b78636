"""The configured MCP servers, as commands name and show them."""

import shlex

import click

from hermes_agent.config.load import Loaded, load
from hermes_agent.config.schema.execution import McpServer
from hermes_agent.domain.errors import HermesError, NotFoundError


def _names(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    try:
        servers = load().config.mcp_servers
    except HermesError:
        return []
    return sorted(name for name in servers if name.startswith(begun))


NAME = click.argument("name", shell_complete=_names)


def known(loaded: Loaded, name: str) -> McpServer:
    """The server of that name. Raises `NotFoundError`."""
    servers = loaded.config.mcp_servers
    if name not in servers:
        there = ", ".join(sorted(servers)) or "none"
        raise NotFoundError(
            f"There is no MCP server called {name!r}.", hint=f"Configured are: {there}."
        )
    return servers[name]


def reached(server: McpServer) -> str:
    """Its address or program, as it may be shown."""
    from hermes_agent.bridges.mcp.secrecy import address, blanked

    if server.url:
        return address(server.url)
    return blanked(shlex.join((server.command, *server.args)), server)
