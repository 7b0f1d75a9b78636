"""`hermes mcp configure`: which tools of a server are offered."""

import asyncio
from collections.abc import Sequence

import click

from hermes_agent.cli.commands.mcp_known import NAME, known
from hermes_agent.config.load import Loaded, load
from hermes_agent.config.schema.execution import McpServer, McpTools
from hermes_agent.domain.errors import HermesError, UsageError


@click.command("configure")
@NAME
@click.option("--include", metavar="TOOLS", help="Only these, with commas; empty for all.")
@click.option("--exclude", metavar="TOOLS", help="All but these, with commas; empty for none.")
def configure_command(name: str, include: str | None, exclude: str | None) -> None:
    """Choose which tools of a server are offered.

    Without options from a list; tools go by the server's own names.
    """
    from hermes_agent.config.managed import require_unmanaged

    loaded = load()
    server = known(loaded, name)
    require_unmanaged(loaded.paths, doing="configure an MCP server")
    if include is None and exclude is None:
        include, exclude = ",".join(_chosen(loaded, name, server)), ""
    changes = {
        key: _words(value)
        for key, value in (("include", include), ("exclude", exclude))
        if value is not None
    }
    _save(loaded, name, changes)
    click.echo(f"{name}: saved. New sessions will see it; running ones after /reload-mcp.")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _save(loaded: Loaded, name: str, changes: dict[str, list[str]]) -> None:
    from hermes_agent.config.edit import edit

    base = f"mcp_servers.{name}.tools"
    tools = loaded.config.mcp_servers[name].tools
    set_now = {"include": tools.include, "exclude": tools.exclude}
    edit(
        loaded.paths,
        {f"{base}.{key}": words for key, words in changes.items() if words},
        remove=[f"{base}.{key}" for key, words in changes.items() if not words and set_now[key]],
        doing="configure an MCP server",
    )


def _chosen(loaded: Loaded, name: str, server: McpServer) -> Sequence[str]:
    """What a person picks; nothing where that is all."""
    tools = asyncio.run(_tools(loaded, name, server))
    if not tools:
        raise HermesError(f"The MCP server {name} has no tools.")
    on = [_is_on(tool, server.tools) for tool, _ in tools]
    while True:
        for at, (tool, about) in enumerate(tools):
            click.echo(f"{at + 1:4} [{'x' if on[at] else ' '}] {tool}  {about}")
        answer = click.prompt(
            "Numbers to switch, all, none; nothing to save", default="", show_default=False
        )
        if not answer.strip():
            break
        on = _switched(on, answer)
    if not any(on):
        raise UsageError(
            "Nothing was saved: no tool is left.", hint=f"hermes mcp disable {name} turns it off."
        )
    return [] if all(on) else [tool for at, (tool, _) in enumerate(tools) if on[at]]


def _is_on(tool: str, wanted: McpTools) -> bool:
    return (not wanted.include or tool in wanted.include) and tool not in wanted.exclude


def _switched(on: list[bool], answer: str) -> list[bool]:
    if answer.strip() in ("all", "none"):
        return [answer.strip() == "all"] * len(on)
    now = list(on)
    for word in answer.replace(",", " ").split():
        if not word.isdecimal() or not 1 <= int(word) <= len(on):
            click.echo(f"{word} is none of the numbers.", err=True)
            return on
        now[int(word) - 1] = not now[int(word) - 1]
    return now


async def _tools(loaded: Loaded, name: str, server: McpServer) -> list[tuple[str, str]]:
    """The server's own names and the first lines of what they are for, all of them."""
    from hermes_agent.cli.errorlog import log_errors
    from hermes_agent.runtime.workplace import Premises

    premises = Premises(loaded)
    log_errors(loaded.paths.logs_dir / "errors.log", premises.blank_secrets)
    servers = premises.servers
    source = servers.only(name, server)
    try:
        found = await source.everything(name)
        absent = await source.absent()
    finally:
        await servers.close()
    if name in absent:
        raise HermesError(f"The MCP server {name} cannot be used: {absent[name]}")
    return [(each.name, _first_line(each.description)) for each in found]


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0][:80]
    return "".join(c for c in line if c.isprintable())
