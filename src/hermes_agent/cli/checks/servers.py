"""The MCP servers: whether they can be reached."""

import asyncio
from collections.abc import Iterator

import msgspec

from hermes_agent.cli.checks import Finding
from hermes_agent.config.load import Loaded

_SECONDS = 15.0
"""No server is waited for longer here."""


def servers(loaded: Loaded, *, offline: bool) -> Iterator[Finding]:
    """A line for each that is turned on; unless `offline` they are connected to, side by side."""
    configured = loaded.config.mcp_servers
    off = sorted(name for name, each in configured.items() if not each.enabled)
    if off:
        yield Finding(area="mcp", level="note", text=f"turned off: {', '.join(off)}")
    if len(off) == len(configured):
        return
    if offline:
        count = len(configured) - len(off)
        yield Finding(area="mcp", level="note", text=f"{count} server(s), not asked")
        return
    from hermes_agent.cli.errorlog import log_errors
    from hermes_agent.runtime.workplace import Premises

    log_errors(loaded.paths.logs_dir / "errors.log", Premises(loaded).blank_secrets)
    counts, absent = asyncio.run(_look(_hasty(loaded)))
    for name in sorted(set(configured) - set(off)):
        if name in absent:
            yield Finding(
                area="mcp",
                level="problem",
                text=f"{name}: {absent[name]}",
                hint=f"Try it alone: hermes mcp test {name}",
            )
        else:
            yield Finding(area="mcp", level="ok", text=f"{name}: {counts.get(name, 0)} tools")


def _hasty(loaded: Loaded) -> Loaded:
    quick = {
        name: msgspec.structs.replace(each, connect_timeout=min(each.connect_timeout, _SECONDS))
        for name, each in loaded.config.mcp_servers.items()
    }
    config = msgspec.structs.replace(loaded.config, mcp_servers=quick)
    return msgspec.structs.replace(loaded, config=config)


async def _look(loaded: Loaded) -> tuple[dict[str, int], dict[str, str]]:
    from collections import Counter

    from hermes_agent.runtime.workplace import Premises

    servers = Premises(loaded).servers
    source = servers.source
    assert source is not None
    try:
        counts = Counter(tool.source for tool in await source.tools())
        return dict(counts), await source.absent()
    finally:
        await servers.close()
