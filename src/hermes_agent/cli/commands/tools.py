"""`hermes tools`: which tools the agent has, and turning them on and off."""

from collections.abc import Sequence
from typing import Any

import click

from hermes_agent.config.load import Loaded, load
from hermes_agent.domain.errors import NotFoundError, UsageError
from hermes_agent.runtime.backend import DISTANT, backend_of
from hermes_agent.tools.choice import with_disabled, with_enabled
from hermes_agent.tools.table import TABLE
from hermes_agent.tools.toolsets import PLATFORMS, TOOLSETS, check, members, resolve

_PLATFORM = click.option(
    "--platform", default="cli", show_default=True, metavar="NAME", help="For whom: cli, telegram…"
)


@click.group(
    "tools",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--summary", is_flag=True, help="One line for each platform.")
@click.pass_context
def command(ctx: click.Context, summary: bool) -> None:
    """List, enable and disable the agent's tools."""
    if ctx.invoked_subcommand is not None:
        return
    loaded = load()
    if summary:
        _print_summary(loaded)
        return
    _print_list(loaded, "cli")
    click.echo("\nChange it:  hermes tools disable NAME…    hermes tools enable NAME…")
    click.echo("A name is a toolset (left) or one tool; --platform telegram is for another place.")


@command.command("list")
@_PLATFORM
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--summary", is_flag=True, help="One line for each platform.")
def list_command(platform: str, as_json: bool, summary: bool) -> None:
    """Show which tools are on."""
    loaded = load()
    _known_platform(platform)
    if as_json:
        import json

        click.echo(json.dumps(_as_data(loaded, platform), indent=2))
    elif summary:
        _print_summary(loaded)
    else:
        _print_list(loaded, platform)


@command.command("enable")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@_PLATFORM
def enable_command(names: tuple[str, ...], platform: str) -> None:
    """Turn on toolsets, tools, or an MCP server's tool as SERVER:TOOL."""
    _change(names, platform, on=True)


@command.command("disable")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@_PLATFORM
def disable_command(names: tuple[str, ...], platform: str) -> None:
    """Turn off toolsets, tools, or an MCP server's tool as SERVER:TOOL."""
    _change(names, platform, on=False)


def _change(names: Sequence[str], platform: str, *, on: bool) -> None:
    from hermes_agent.config.edit import edit

    _known_platform(platform)
    check(name for name in names if ":" not in name)
    loaded = load()
    before = _wanted(loaded, platform)
    after = before
    changes: dict[str, Any] = {}
    for name in names:
        if ":" in name:
            changes |= _remote(loaded, name, changes, on=on)
        else:
            after = with_enabled(after, name) if on else with_disabled(after, name)
    if after != before:
        changes[f"platform_toolsets.{platform}"] = list(after)
    # Also with nothing to change: a managed installation says so either way.
    edit(loaded.paths, changes, doing="change tools")
    word = "enabled" if on else "disabled"
    already = "" if changes else " already"
    click.echo(f"{', '.join(names)}: {word}{already} for {platform}.")
    if changes:
        click.echo("New sessions will see it.")
    _warn_of_disabled(loaded, names, on=on)


def _remote(loaded: Loaded, name: str, changes: dict[str, Any], *, on: bool) -> dict[str, Any]:
    """One tool of an MCP server: its server's list of what is left out."""
    server, _, tool = name.partition(":")
    servers = loaded.config.mcp_servers
    if server not in servers:
        known = ", ".join(servers) or "none"
        raise NotFoundError(
            f"There is no MCP server called {server!r}.", hint=f"Configured are: {known}."
        )
    key = f"mcp_servers.{server}.tools.exclude"
    excluded: Sequence[str] = changes.get(key, servers[server].tools.exclude or ())
    rest = [other for other in excluded if other != tool]
    now = rest if on else [*rest, tool]
    return {} if list(excluded) == now else {key: now}


def _warn_of_disabled(loaded: Loaded, names: Sequence[str], *, on: bool) -> None:
    barred = [name for name in names if name in loaded.config.agent.disabled_toolsets]
    if on and barred:
        click.echo(
            f"agent.disabled_toolsets still names {', '.join(barred)}: off everywhere.", err=True
        )


def _known_platform(platform: str) -> None:
    if platform not in PLATFORMS:
        import difflib

        near = difflib.get_close_matches(platform, PLATFORMS, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"There is no platform called {platform!r}.",
            hint=f"{hint}They are: {', '.join(PLATFORMS)}.",
        )


def _wanted(loaded: Loaded, platform: str) -> tuple[str, ...]:
    config = loaded.config
    return tuple(config.platform_toolsets.get(platform, config.toolsets))


def _enabled(loaded: Loaded, platform: str) -> tuple[str, ...]:
    config = loaded.config
    return resolve(
        toolsets=config.toolsets,
        platform=platform,
        platform_toolsets=config.platform_toolsets,
        disabled=config.agent.disabled_toolsets,
        others=tuple(config.mcp_servers),
    )


def _as_data(loaded: Loaded, platform: str) -> dict[str, Any]:
    enabled = _enabled(loaded, platform)
    return {
        "platform": platform,
        "toolsets": [
            {
                "name": toolset,
                "description": help_line,
                "enabled": any(tool in enabled for tool in members(toolset)),
                "tools": [
                    {"name": tool, "description": TABLE[tool].help, "enabled": tool in enabled}
                    for tool in members(toolset)
                ],
            }
            for toolset, help_line in TOOLSETS.items()
            if members(toolset)
        ],
    }


def _print_list(loaded: Loaded, platform: str) -> None:
    click.echo(f"Tools for {platform}:")
    for toolset in _as_data(loaded, platform)["toolsets"]:
        click.echo(f"\n{toolset['name']:<12} {toolset['description']}")
        for tool in toolset["tools"]:
            mark = "on " if tool["enabled"] else "off"
            click.echo(f"  {mark}  {tool['name']:<14} {tool['description']}")
    backend = backend_of(loaded)
    if backend in DISTANT and "execute_code" in _enabled(loaded, platform):
        click.echo(
            f"\nexecute_code is not offered: programs cannot call back from {backend}; it takes "
            "terminal.backend local or bubblewrap."
        )


def _print_summary(loaded: Loaded) -> None:
    for platform in dict.fromkeys(("cli", *loaded.config.platform_toolsets)):
        enabled = _enabled(loaded, platform)
        click.echo(f"{platform}: {len(enabled)} of {len(TABLE)} tools: {', '.join(enabled)}")
