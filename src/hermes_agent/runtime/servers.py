"""The MCP servers of this configuration, started where the agent's commands run."""

import os
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from hermes_agent.config.load import Loaded
from hermes_agent.config.schema.execution import McpServer

if TYPE_CHECKING:
    from hermes_agent.bridges.mcp.source import McpSource
    from hermes_agent.bridges.mcp.stdio import Program
    from hermes_agent.environments.bubblewrap import Bubblewrap
    from hermes_agent.environments.warden import Warden

SEEN_FILE = "mcp_tools.json"
_INHERITED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TERM", "SHELL", "TMPDIR", "TZ")


class Servers:
    """All servers of a process. `backend` says where their programs run: with `bubblewrap`, out
    of sight of our secrets, as commands do."""

    def __init__(self, loaded: Loaded, *, backend: str, cwd: str) -> None:
        self._loaded = loaded
        self._backend = backend
        self._cwd = cwd
        self._source: McpSource | None = None
        self._warden: Warden | None = None
        self._enclosure: Bubblewrap | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are turned on, by name."""
        servers = self._loaded.config.mcp_servers
        return tuple(sorted(name for name, each in servers.items() if each.enabled))

    @property
    def source(self) -> "McpSource | None":
        """Their tools; None where no server is turned on."""
        if self._source is None and self.names:
            self._source = self._made(self._loaded.config.mcp_servers)
        return self._source

    def only(self, name: str, server: McpServer) -> "McpSource":
        """The tools of this one alone, also where it is turned off."""
        self._source = self._made({name: msgspec.structs.replace(server, enabled=True)})
        return self._source

    def _made(self, servers: Mapping[str, McpServer]) -> "McpSource":
        from hermes_agent.bridges.mcp.seen import SeenTools
        from hermes_agent.bridges.mcp.source import McpSource

        seen = SeenTools(self._loaded.paths.home / SEEN_FILE)
        return McpSource(servers, self._launch, seen)

    async def close(self) -> None:
        """End all of them."""
        if self._source is not None:
            await self._source.close()
        if self._warden is not None:
            self._warden.close()
        if self._enclosure is not None:
            self._enclosure.close()

    def _launch(self, argv: Sequence[str], extra: Mapping[str, str]) -> "Program":
        from hermes_agent.bridges.mcp.stdio import Program
        from hermes_agent.environments.warden import Warden

        mark = secrets.token_hex(8)
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name in _INHERITED or name.startswith("XDG_")
        }
        variables = {**inherited, **extra, "HERMES_RUN_ID": mark}
        if self._warden is None:
            self._warden = Warden()
        self._warden.expect(mark)
        if self._backend != "bubblewrap":
            return Program(argv=argv, cwd=self._cwd, variables=variables)
        launched = self._inside().launch(argv, cwd=self._cwd, variables=variables, pty=False)
        words = [os.fsdecode(word) for word in launched.argv]
        return Program(argv=words, cwd=launched.cwd, variables=launched.variables)

    def _inside(self) -> "Bubblewrap":
        from hermes_agent.environments.bubblewrap import Bubblewrap
        from hermes_agent.environments.enclosure import Place

        if self._enclosure is None:
            home = self._loaded.paths.home
            self._enclosure = Bubblewrap(Place(cwd=self._cwd, variables={}, home=home))
        return self._enclosure
