"""`hermes mcp`: the servers that bring tools."""

import asyncio
import shlex
from typing import Any

import click

from hermes_agent.cli.commands.mcp_configure import configure_command
from hermes_agent.cli.commands.mcp_known import NAME, known, reached
from hermes_agent.cli.commands.mcp_login import login_command, logout_command
from hermes_agent.cli.commands.mcp_serve import serve_command
from hermes_agent.config.load import Loaded, load
from hermes_agent.config.schema.execution import McpServer
from hermes_agent.config.secret_names import looks_secret
from hermes_agent.domain.errors import HermesError, UsageError
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
            {"name": name, "reached": reached(each), "enabled": each.enabled}
            for name, each in sorted(servers.items())
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    if not servers:
        click.echo("No MCP server is configured. Add one: hermes mcp add NAME --command PROGRAM")
        return
    width = max(len(name) for name in servers)
    for name, each in sorted(servers.items()):
        click.echo(f"{name:{width}}  {'' if each.enabled else '(off) '}{reached(each)}")


@command.command("test")
@NAME
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def test_command(name: str, as_json: bool) -> None:
    """Connect to a server and show its tools."""
    loaded = load()
    tools = asyncio.run(probe(loaded, name, known(loaded, name)))
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
@click.option("--args", "words", metavar="LINE", help="More arguments of the program.")
@click.option(
    "--auth",
    type=click.Choice(["oauth", "header"]),
    help="How the server knows us: by a login, or by a header.",
)
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="A variable for the program.")
@click.option("--header", multiple=True, metavar="NAME:VALUE", help="A header for the address.")
@click.option("--timeout", type=float, help="Longest tool call in seconds.")
@click.option("--no-test", is_flag=True, help="Save it without connecting first.")
def add_command(
    name: str,
    program: str | None,
    url: str | None,
    words: str | None,
    auth: str | None,
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
        line = [*shlex.split(program), *shlex.split(words or "")]
        if not line:
            raise UsageError("--command names no program.")
        if auth is not None:
            raise UsageError("--auth is for an address: a program needs no login.")
        server |= {"command": line[0], "args": line[1:]}
    else:
        server["url"] = url
        if auth is not None:
            server["auth"] = auth
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
    if not no_test and auth != "oauth":
        tried = load(flags={f"mcp_servers.{name}": server})
        tools = asyncio.run(probe(tried, name, tried.config.mcp_servers[name]))
        click.echo(f"{name}: connected, {len(tools)} tools.")
    edit(loaded.paths, {f"mcp_servers.{name}": server}, doing="add an MCP server")
    click.echo(f"Added {name}. New sessions will see it.")
    if auth == "oauth":
        click.echo(f"Log in there: hermes mcp login {name}")


@command.command("remove")
@NAME
def remove_command(name: str) -> None:
    """Remove a server, and the login there."""
    from hermes_agent.config.edit import edit
    from hermes_agent.runtime.servers import tokens_of

    loaded = load()
    server = known(loaded, name)
    edit(loaded.paths, remove=(f"mcp_servers.{name}",), doing="remove an MCP server")
    if server.url:
        tokens_of(loaded.paths, name, server).forget()
    click.echo(f"Removed {name}.")


@command.command("enable")
@NAME
def enable_command(name: str) -> None:
    """Use a server again."""
    _switch(name, on=True)


@command.command("disable")
@NAME
def disable_command(name: str) -> None:
    """Keep a server's settings, but do not use it."""
    _switch(name, on=False)


def _switch(name: str, *, on: bool) -> None:
    from hermes_agent.config.edit import edit

    loaded = load()
    known(loaded, name)
    word = "enable" if on else "disable"
    edit(loaded.paths, {f"mcp_servers.{name}.enabled": on}, doing=f"{word} an MCP server")
    click.echo(f"{name}: {word}d. New sessions will see it; running ones after /reload-mcp.")


async def probe(loaded: Loaded, name: str, server: McpServer) -> list[OutsideTool]:
    """The tools of a server. Raises `HermesError` where it cannot be used."""
    from hermes_agent.cli.errorlog import log_errors
    from hermes_agent.runtime.workplace import Premises

    premises = Premises(loaded)
    log_errors(loaded.paths.logs_dir / "errors.log", premises.blank_secrets)
    servers = premises.servers
    source = servers.only(name, server)
    try:
        tools = list(await source.tools())
        absent = await source.absent()
    finally:
        await servers.close()
    if name in absent:
        raise HermesError(
            f"The MCP server {name} cannot be used: {absent[name]}",
            hint=f"It is reached by: {reached(server)}",
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


command.add_command(configure_command)
command.add_command(login_command)
command.add_command(logout_command)
command.add_command(serve_command)
