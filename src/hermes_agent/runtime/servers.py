"""The MCP servers of this configuration, started where the agent's commands run."""

import os
import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from hermes_agent.config.load import Loaded
from hermes_agent.config.paths import Paths
from hermes_agent.config.schema.execution import McpServer

if TYPE_CHECKING:
    from httpx2 import Auth
    from mcp.client.session import SamplingFnT

    from hermes_agent.bridges.mcp.link import Signals
    from hermes_agent.bridges.mcp.source import McpSource
    from hermes_agent.bridges.mcp.stdio import Program
    from hermes_agent.bridges.mcp.tokens import TokenFiles
    from hermes_agent.environments.bubblewrap import Bubblewrap
    from hermes_agent.environments.warden import Warden
    from hermes_agent.runtime.sampling import Sampling

SEEN_FILE = "mcp_tools.json"
_INHERITED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TERM", "SHELL", "TMPDIR", "TZ")


class Reloaded(msgspec.Struct, frozen=True):
    """The names of the servers that are turned on, now and `before`."""

    names: tuple[str, ...]
    before: tuple[str, ...]

    def line(self, *, here: bool) -> str:
        """For the person: what there is, and whether the conversation that they are in has the
        means to find it (`here`). Its prompt stays as it is, so that the vendor's cache does."""
        said = f"MCP servers: {', '.join(self.names) or 'none'}."
        new = ", ".join(name for name in self.names if name not in self.before)
        if not new:
            return said
        if not here:
            return f"{said} Conversations that begin now can use them (/new)."
        return f"{said} New: {new}; here, too, its tools are found with tool_search."


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
        self._sampling: Sampling | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are turned on, by name."""
        servers = self._loaded.config.mcp_servers
        return tuple(sorted(name for name, each in servers.items() if each.enabled))

    async def reload(self) -> Reloaded:
        """Read `mcp_servers` anew; connections whose settings are the same stay. Raises
        `ConfigError`."""
        from hermes_agent.config.load import load

        before = self.names
        self._loaded = load(self._loaded.paths)
        if self._source is not None:
            await self._source.change(self._loaded.config.mcp_servers)
        return Reloaded(self.names, before)

    @property
    def source(self) -> "McpSource | None":
        """Their tools; None where no server is turned on."""
        if not self.names:
            return None
        if self._source is None:
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
        return McpSource(servers, self._launch, seen, sign=self._sign, sample=self._sample)

    def _sign(self, name: str, server: McpServer, signals: "Signals") -> "Auth":
        from hermes_agent.bridges.mcp.signing import Signer

        return Signer(name, server.url, tokens_of(self._loaded.paths, name, server), signals)

    def _sample(self, name: str, server: McpServer) -> "SamplingFnT | None":
        if not server.sampling.enabled:
            return None
        if self._sampling is None:
            from hermes_agent.runtime.sampling import Sampling

            self._sampling = Sampling(self._loaded)
        return self._sampling.answerer(name, server.sampling)

    async def close(self) -> None:
        """End all of them."""
        if self._source is not None:
            await self._source.close()
        if self._sampling is not None:
            await self._sampling.close()
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
        ended = partial(self._warden.forget, mark)
        if self._backend != "bubblewrap":
            return Program(argv=argv, cwd=self._cwd, variables=variables, ended=ended)
        launched = self._inside().launch(argv, cwd=self._cwd, variables=variables, pty=False)
        words = [os.fsdecode(word) for word in launched.argv]
        return Program(argv=words, cwd=launched.cwd, variables=launched.variables, ended=ended)

    def _inside(self) -> "Bubblewrap":
        from hermes_agent.environments.bubblewrap import Bubblewrap
        from hermes_agent.environments.enclosure import Place

        if self._enclosure is None:
            home = self._loaded.paths.home
            self._enclosure = Bubblewrap(Place(cwd=self._cwd, variables={}, home=home))
        return self._enclosure


def tokens_of(paths: Paths, name: str, server: McpServer) -> "TokenFiles":
    """The login at a server."""
    from hermes_agent.bridges.mcp.tokens import TokenFiles

    return TokenFiles(paths.home, name, server.url)
