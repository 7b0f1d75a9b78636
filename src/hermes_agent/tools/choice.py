"""Turning toolsets and tools on and off in a list of names, as it stands in the configuration."""

from collections.abc import Mapping, Sequence

from hermes_agent.domain.errors import UsageError
from hermes_agent.tools.table import TABLE, Entry
from hermes_agent.tools.toolsets import BUNDLES, TOOLSETS, expand, members

# Every list may also hold names that this room does not know (MCP servers); they stay.


def with_enabled(
    current: Sequence[str], name: str, table: Mapping[str, Entry] = TABLE
) -> tuple[str, ...]:
    """The list with `name` on. Nothing changes when it is on already."""
    on = {toolset for bundle in current for toolset in BUNDLES.get(bundle, (bundle,))}
    on |= {tool for toolset in on for tool in members(toolset, table)}
    if set(BUNDLES.get(name, (name,))) <= on:
        return tuple(current)
    covered = {*members(name, table), *BUNDLES.get(name, ())}
    kept = [other for other in current if other not in covered]
    return _merged((*kept, name), table)


def with_disabled(
    current: Sequence[str], name: str, table: Mapping[str, Entry] = TABLE
) -> tuple[str, ...]:
    """The list with `name` off; bundles and toolsets that hold it are written out without it.

    Toolsets that have no tools yet stay: they are wanted once there are some. Raises
    `UsageError` for a tool that its toolset's name cannot be told without.
    """
    gone = expand([name], table=table)
    names = [toolset for bundle in current for toolset in BUNDLES.get(bundle, (bundle,))]
    dropped = {name, *BUNDLES.get(name, ())}
    result: list[str] = []
    for toolset in dict.fromkeys(names):
        if toolset in dropped:
            continue
        tools = members(toolset, table) if toolset in TOOLSETS else (toolset,)
        if gone.isdisjoint(tools):
            result.append(toolset)
            continue
        rest = [tool for tool in tools if tool not in gone]
        if toolset in rest:  # its name would stand for all of its tools again
            raise UsageError(
                f"{name} comes with {toolset} and cannot be turned off alone.",
                hint=f"Turn off {toolset}, or put {name} into agent.disabled_toolsets.",
            )
        result += rest
    return tuple(result)


def _merged(names: Sequence[str], table: Mapping[str, Entry]) -> tuple[str, ...]:
    """Tools that make up a whole toolset become its name again."""
    result = list(dict.fromkeys(names))
    for toolset in TOOLSETS:
        tools = members(toolset, table)
        if len(tools) > 1 and set(tools) <= set(result):
            result[result.index(tools[0])] = toolset
            result = [name for name in result if name not in tools or name == toolset]
    return tuple(dict.fromkeys(result))
