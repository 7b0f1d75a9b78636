"""`hermes mcp`: the servers that bring tools."""

import asyncio
import shlex
from typing import Any

import click

from hermes_agent.config.load import Loaded, load
from hermes_agent.config.schema.execution import McpServer
from hermes_agent.config.secret_names import looks_secret
from hermes_agent.domain.errors import HermesError, NotFoundError, UsageError
from hermes_agent.domain.outside import OutsideTool


@click.group("mcp", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Servers of the Model Context Protocol. Their tools are found by the agent when needed."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_command(as_json: bool) -> None:
    """Show the configured servers."""
    servers = load().config.mcp_servers
    if as_json:
        import json

        rows = [
            {"name": name, "reached": _reached(each), "enabled": each.enabled}
            for name, each in sorted(servers.items())
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    if not servers:
        click.echo("No MCP server is configured. Add one: hermes mcp add NAME --command PROGRAM")
        return
    width = max(len(name) for name in servers)
    for name, each in sorted(servers.items()):
        click.echo(f"{name:{width}}  {'' if each.enabled else '(off) '}{_reached(each)}")


@command.command("test")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def test_command(name: str, as_json: bool) -> None:
    """Connect to a server and show its tools."""
    loaded = load()
    tools = asyncio.run(_probe(loaded, name, _known(loaded, name)))
    if as_json:
        import json

        click.echo(json.dumps([_data(tool) for tool in tools], indent=2))
        return
    click.echo(f"{name}: connected, {len(tools)} tools.")
    for tool in tools:
        first = tool.description.strip().partition("\n")[0]
        click.echo(f"  {tool.name}  {first[:80]}")
        if tool.warning:
            click.echo(f"    Beware: {tool.warning}", err=True)


@command.command("add")
@click.argument("name")
@click.option("--command", "program", metavar="LINE", help="The program and its arguments.")
@click.option("--url", help="The server's address.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="A variable for the program.")
@click.option("--header", multiple=True, metavar="NAME:VALUE", help="A header for the address.")
@click.option("--timeout", type=float, help="Longest tool call in seconds.")
@click.option("--no-test", is_flag=True, help="Save it without connecting first.")
def add_command(
    name: str,
    program: str | None,
    url: str | None,
    env: tuple[str, ...],
    header: tuple[str, ...],
    timeout: float | None,
    no_test: bool,
) -> None:
    """Add a server. It is connected to first, and saved if that works.

    A key in a header belongs into .env: --header 'Authorization:Bearer ${MY_KEY}'
    """
    from hermes_agent.config.edit import edit
    from hermes_agent.config.managed import require_unmanaged

    loaded = load()
    require_unmanaged(loaded.paths, doing="add an MCP server")
    if name in loaded.config.mcp_servers:
        raise UsageError(
            f"There is a server called {name} already.",
            hint=f"Remove it first: hermes mcp remove {name}",
        )
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"{name!r} is no name for a server: use letters, digits, - and _.")
    if (program is None) == (url is None):
        raise UsageError("Give either --command or --url.")
    server: dict[str, Any] = {}
    if program is not None:
        words = shlex.split(program)
        if not words:
            raise UsageError("--command names no program.")
        server |= {"command": words[0], "args": words[1:]}
    else:
        server["url"] = url
    if env:
        server["env"] = _pairs(env, "=", "--env")
    if header:
        server["headers"] = _pairs(header, ":", "--header")
        for named, value in server["headers"].items():
            if "${" not in value and (looks_secret(named) or named.lower() == "authorization"):
                raise UsageError(
                    f"What is secret does not belong into config.yaml: the header {named}.",
                    hint="Put it into .env as MY_KEY=… and write '${MY_KEY}' instead.",
                )
    if timeout is not None:
        server["timeout"] = timeout
    if not no_test:
        tried = load(flags={f"mcp_servers.{name}": server})
        tools = asyncio.run(_probe(tried, name, tried.config.mcp_servers[name]))
        click.echo(f"{name}: connected, {len(tools)} tools.")
    edit(loaded.paths, {f"mcp_servers.{name}": server}, doing="add an MCP server")
    click.echo(f"Added {name}. New sessions will see it.")


@command.command("remove")
@click.argument("name")
def remove_command(name: str) -> None:
    """Remove a server."""
    from hermes_agent.config.edit import edit

    loaded = load()
    _known(loaded, name)
    edit(loaded.paths, remove=(f"mcp_servers.{name}",), doing="remove an MCP server")
    click.echo(f"Removed {name}.")


def _reached(server: McpServer) -> str:
    return server.url or shlex.join((server.command, *server.args))


def _known(loaded: Loaded, name: str) -> McpServer:
    servers = loaded.config.mcp_servers
    if name not in servers:
        known = ", ".join(sorted(servers)) or "none"
        raise NotFoundError(
            f"There is no MCP server called {name!r}.", hint=f"Configured are: {known}."
        )
    return servers[name]


async def _probe(loaded: Loaded, name: str, server: McpServer) -> list[OutsideTool]:
    from hermes_agent.runtime.workplace import Premises

    servers = Premises(loaded).servers
    source = servers.only(name, server)
    try:
        tools = list(await source.tools())
        absent = await source.absent()
    finally:
        await servers.close()
    if name in absent:
        raise HermesError(
            f"The MCP server {name} cannot be used: {absent[name]}",
            hint=f"It is reached by: {_reached(server)}",
        )
    return tools


def _pairs(given: tuple[str, ...], sign: str, option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for each in given:
        name, found, value = each.partition(sign)
        if not found or not name.strip():
            raise UsageError(f"{option} {each!r} is not NAME{sign}VALUE.")
        pairs[name.strip()] = value.strip()
    return pairs


def _data(tool: OutsideTool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "warning": tool.warning,
    }
