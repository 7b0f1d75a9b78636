"""Another machine, by OpenSSH's own client."""

import base64
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from hermes_agent.domain.errors import ConfigError, EnvironmentFault
from hermes_agent.environments import scratch
from hermes_agent.environments.distant.environment import DistantEnvironment
from hermes_agent.environments.distant.guard import DistantGuard
from hermes_agent.environments.enclosure import Launch, Place
from hermes_agent.environments.options import SshOptions
from hermes_agent.environments.variables import QUIET

_PATIENCE = 60.0

# The whole goes through one argument of the login shell over there, in base64, with the scripts.
_LONGEST = 60_000

# unix(7) allows 108 bytes, and ssh first makes a name with 17 more.
_LONGEST_SOCKET = 90

_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "15",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "3",
    "ControlPersist": "no",
    "LogLevel": "ERROR",
    "EscapeChar": "none",
    "ClearAllForwardings": "yes",
    "PermitLocalCommand": "no",
    "RemoteCommand": "none",
}


class Ssh:
    """The way to another machine, as the user's ssh configuration, agent and known hosts say.

    The keeper is the master of one connection that everything else shares. When it ends, the
    connection does: there is no process of ours that could outlive us. Where the other machine
    allows no more sessions in one connection, ssh makes another by itself.
    """

    name = "ssh"
    scratch_base = ""
    patience = _PATIENCE
    longest = _LONGEST
    variables: Mapping[str, str] = QUIET

    def __init__(self, place: Place) -> None:
        options = place.ssh
        if options is None or not options.host:
            raise ConfigError(
                "The backend ssh needs a machine.",
                hint="Set terminal.ssh_host, and terminal.ssh_user where it is not your own.",
            )
        if options.host.startswith("-") or options.user.startswith("-"):
            raise ConfigError(f"terminal.ssh_host: {options.host} is no name of a machine.")
        self.noun = f"the machine {options.host}"
        self._options: SshOptions = options
        self._place = place
        self._client = dict(place.variables)
        self._folder: str | None = None

    @property
    def scratch(self) -> str | None:
        """Where the socket of the connection is."""
        return self._folder

    def guard(self) -> DistantGuard:
        """As on this machine, with the home directory over there."""
        return DistantGuard(contained=False, write_root=self._place.write_root)

    async def open(self, keeper: Sequence[str], mark: str) -> Launch:
        """A new connection, whose master the keeper's client is."""
        self._folder = self._folder or _short_folder()
        return self._launch(keeper, {}, "-T", "-M")

    def launch(
        self, argv: Sequence[str], *, variables: Mapping[str, str], pty: bool, stdin: bool
    ) -> Launch:
        """A session in that connection."""
        terminal = "-tt" if pty else "-T"
        return self._launch(argv, variables, terminal, "-o", "ControlMaster=no")

    async def leave(self) -> None:
        """With its socket in the way, the next connection could not be shared."""
        if self.scratch is not None:
            Path(self.scratch, "s").unlink(missing_ok=True)  # noqa: ASYNC240 - in memory

    async def close(self) -> None:
        """Remove the folder of the socket."""
        scratch.remove(self._folder)

    def probe(self) -> Launch:
        """How to ask the other machine for its name."""
        return self._launch(("uname", "-n"), {}, "-T", "-o", "ControlMaster=no", "-S", "none")

    def _launch(self, argv: Sequence[str], variables: Mapping[str, str], *flags: str) -> Launch:
        options = self._options
        line = ["ssh", *flags, "-p", str(options.port)]
        if "-S" not in flags:
            line += ("-S", f"{self.scratch}/s")
        for name, value in _OPTIONS.items():
            line += ("-o", f"{name}={value}")
        if options.user:
            line += ("-l", options.user)
        if options.key:
            line += ("-i", options.key)
        mark = {k: v for k, v in variables.items() if k == "HERMES_RUN_ID"}
        return Launch(
            argv=[*line, "--", options.host, _line(argv, variables)],
            cwd="/",
            variables={**self._client, **mark},
        )


def _short_folder() -> str:
    folder = scratch.make()
    if folder is not None and len(folder) > _LONGEST_SOCKET:
        scratch.remove(folder)
        folder = scratch.make({})
    if folder is None:
        raise EnvironmentFault("There is no folder for the socket of ssh.")
    return folder


class SshEnvironment(DistantEnvironment):
    """Commands run on another machine."""

    def __init__(self, place: Place) -> None:
        super().__init__(Ssh(place), place)


def _line(argv: Sequence[str], variables: Mapping[str, str]) -> str:
    """For any login shell, be it fish or csh: words without anything to expand."""
    exported = "".join(f"export {k}={shlex.quote(v)}\n" for k, v in variables.items())
    script = f"{exported}exec {shlex.join(argv)}\n".encode("utf-8", "replace")
    packed = base64.b64encode(script).decode()
    return f"exec sh -c 'eval \"$(echo {packed} | base64 -d)\"'"
