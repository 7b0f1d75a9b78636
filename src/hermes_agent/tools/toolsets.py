"""Toolsets: the names people write in the configuration, and the tools they stand for.

A toolset's tools are those that the table gives it; one that has none yet is known, and empty.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from hermes_agent.domain.errors import ConfigError, UsageError
from hermes_agent.tools.table import TABLE, Entry

TOOLSETS: dict[str, str] = {
    "terminal": "Shell commands, in the foreground and background",
    "file": "Read, write, edit and search files",
    "web": "Search the web and read pages",
    "search": "Search the web",
    "browser": "Drive a browser",
    "vision": "Look at pictures",
    "image_gen": "Make pictures",
    "tts": "Speak",
    "skills": "Learn and use skills",
    "memory": "Remember across sessions",
    "session_search": "Search past conversations",
    "todo": "Keep a list of steps",
    "clarify": "Ask the person",
    "code_execution": "Run Python that calls tools",
    "delegation": "Give work to sub-agents",
    "mcp": "Tools of MCP servers",
    "cronjob": "Schedule jobs",
    "messaging": "Send messages to chats",
    "moa": "Ask several models together",
    "honcho": "Honcho's memory of the person",
    "homeassistant": "Home Assistant devices",
    "rl": "Reinforcement-learning runs",
}

_CORE = tuple(name for name in TOOLSETS if name != "rl")

# Where people talk to the agent; each has a bundle hermes-<platform>.
PLATFORMS: tuple[str, ...] = (
    "cli",
    "telegram",
    "discord",
    "whatsapp",
    "slack",
    "signal",
    "homeassistant",
    "email",
    "sms",
    "matrix",
    "mattermost",
    "dingtalk",
    "api_server",
    "webhook",
    "cron",
    "acp",
)

BUNDLES: dict[str, tuple[str, ...]] = {
    "debugging": ("terminal", "web", "file"),
    "safe": ("web", "vision", "image_gen", "moa"),
    "all": tuple(TOOLSETS),
    "*": tuple(TOOLSETS),
    "hermes-gateway": _CORE,
    **{f"hermes-{platform}": _CORE for platform in PLATFORMS},
    "hermes-acp": (
        *("terminal", "file", "web", "browser", "vision", "skills", "memory"),
        *("session_search", "todo", "code_execution", "delegation", "mcp"),
    ),
}


def resolve(
    *,
    toolsets: Sequence[str] = ("hermes-cli",),
    platform: str = "cli",
    platform_toolsets: Mapping[str, Sequence[str]] | None = None,
    disabled: Sequence[str] = (),
    chosen: Sequence[str] | None = None,
    others: Collection[str] = (),
    table: Mapping[str, Entry] = TABLE,
) -> tuple[str, ...]:
    """The names of the tools that a session on `platform` has, in the table's order.

    `chosen` (from the command line) goes before `platform_toolsets`, that before `toolsets`.
    What `disabled` names is never there. Every list may hold toolsets, bundles and single tools;
    `others` are names that other sources of tools answer to. A name that nobody knows raises
    `UsageError` when it is among the `chosen`, else `ConfigError`.
    """
    if chosen is not None:
        check(chosen, others=others, table=table)
    wanted = (platform_toolsets or {}).get(platform, toolsets) if chosen is None else chosen
    there = expand(wanted, others=others, table=table)
    gone = expand(disabled, others=others, table=table)
    return tuple(name for name in table if name in there and name not in gone)


def check(
    names: Iterable[str], *, others: Collection[str] = (), table: Mapping[str, Entry] = TABLE
) -> None:
    """For names from the command line. Raises `UsageError` for one that nobody knows."""
    try:
        expand(names, others=others, table=table)
    except ConfigError as error:
        raise UsageError(error.message, hint=error.hint) from None


def expand(
    names: Iterable[str], *, others: Collection[str] = (), table: Mapping[str, Entry] = TABLE
) -> set[str]:
    """The tools that the names stand for. Raises `ConfigError` for a name nobody knows."""
    found: set[str] = set()
    for name in names:
        if name not in others:
            found |= _tools(name.strip(), others, table)
    return found


def members(toolset: str, table: Mapping[str, Entry] = TABLE) -> tuple[str, ...]:
    """The tools of one toolset that are there."""
    return tuple(name for name, entry in table.items() if entry.toolset == toolset)


def _tools(name: str, others: Collection[str], table: Mapping[str, Entry]) -> set[str]:
    if name in BUNDLES:
        return {tool for toolset in BUNDLES[name] for tool in members(toolset, table)}
    if name in TOOLSETS:
        return set(members(name, table))
    if name in table:
        return {name}
    raise _unknown(name, others, table)


def _unknown(name: str, others: Collection[str], table: Mapping[str, Entry]) -> ConfigError:
    import difflib

    known = [*TOOLSETS, *BUNDLES, *table, *others]
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}? " if near else ""
    return ConfigError(
        f"There is no toolset or tool called {name!r}.",
        hint=f"{hint}The toolsets are: {', '.join(TOOLSETS)}.",
    )
