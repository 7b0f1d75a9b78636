"""This machine behind bubblewrap: our secrets and our process are out of reach."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from hermes_agent.domain.errors import EnvironmentFault
from hermes_agent.environments import scratch
from hermes_agent.environments.enclosure import Launch, Place
from hermes_agent.environments.files import HostFiles
from hermes_agent.environments.sealing import Seal, seal
from hermes_agent.environments.shell import ShellEnvironment
from hermes_agent.environments.view import View

# All of HERMES_HOME is hidden but this: a file that is replaced or made later stays hidden too,
# which a mask over the single file would not achieve.
_SHOWN = (
    "SOUL.md",
    "skills",
    "memories",
    "skins",
    "checkpoints",
    "sandboxes",
    "pastes",
    "bin",
    "workspace",
    "image_cache",
    "audio_cache",
    "document_cache",
    "browser_screenshots",
    "browser_recordings",
)

# Whoever talks to these has programs run outside.
_DOORS = (
    "/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
    "/run/systemd/private",
    "/run/dbus/system_bus_socket",
)
_USER_DOORS = ("bus", "systemd", "docker.sock", "podman", "hermes")

# What root may keep: enough to own and install files, nothing to get at mounts or processes.
_CAPABILITIES = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETGID",
    "CAP_SETUID",
)


class Bubblewrap:
    """The prefix `bwrap …`.

    Everything of this machine is there, as writable as it is for this user, except HERMES_HOME's
    private parts, what `sealing` hides, `Place.hidden`, the sockets through which programs can be
    started outside, and, as wanted, /tmp. The PID namespace ends with the command: nothing is
    left in the background, not even what fled its session. The network stays. Programs gain no
    rights (no sudo).
    """

    name = "bubblewrap"
    terminal = "/dev/console"  # where --dev puts the terminal of the standard output

    # A mount that went away between bwrap's look at it and its work on it, as those of containers
    # do when one starts or ends.
    fleeting = re.compile(r"bwrap: (?:Can't|Unable to) (?:bind |re)?mount [^\n]+\n?")

    def __init__(self, place: Place) -> None:
        self._place = place
        self._home = os.path.realpath(place.home) if place.home else None
        self._checked = False
        self._seal()
        self.scratch = scratch.make()
        self._tmp = self._make_tmp()
        self.files = HostFiles(place.cwd, View(self._mounts()).resolve)

    def launch(
        self, argv: Sequence[str | bytes], *, cwd: str, variables: Mapping[str, str], pty: bool
    ) -> Launch:
        """Put `bwrap` before it."""
        if not self._checked:
            if reason := unusable():
                raise EnvironmentFault(
                    f"bubblewrap cannot be used here: {reason}",
                    hint="Install bubblewrap and allow user namespaces, or set terminal.backend.",
                )
            self._checked = True
        prefix = ["bwrap", *_base(), *self._masks(), "--chdir", cwd]
        if pty:
            # only a session's leader gets a terminal, and only the first process leads this one
            prefix += ("--as-pid-1", "--new-session")
        return Launch(
            argv=[*prefix, "--", *argv],
            cwd="/",
            variables=variables,
        )

    def close(self) -> None:
        """Remove the scratch directory and the private /tmp."""
        scratch.remove(self.scratch)

    def _seal(self) -> Seal:
        place = self._place
        return seal(place.opened, variables=place.variables, agents_home=self._home)

    def _make_tmp(self) -> str | None:
        if not (self._place.private_tmp and self.scratch):
            return None
        path = Path(self.scratch, "tmp")
        path.mkdir(mode=0o700)
        return str(path)

    def _mounts(self) -> list[tuple[str, str | None]]:
        """Where what is seen inside lies outside; None for nowhere. Later lines win."""
        mounts: list[tuple[str, str | None]] = []
        seal = self._seal()
        if self._tmp:
            mounts.append(("/tmp", self._tmp))  # noqa: S108 - the one of the sandbox
            if self._place.cwd.startswith("/tmp/"):  # noqa: S108 - as above
                mounts.append((self._place.cwd, self._place.cwd))
        if self.scratch:
            mounts.append((self.scratch, self.scratch))
        mounts.extend((path, None) for path in seal.hidden)
        mounts.extend((path, path) for path in (*seal.shown, *seal.opened))
        if self._home:
            mounts.append((self._home, None))
            shown = [f"{self._home}/{name}" for name in _SHOWN]
            mounts.extend(zip(shown, shown, strict=True))
        mounts.extend((path, None) for path in self._hidden())
        return mounts

    def _hidden(self) -> list[str]:
        user = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")  # systemd.exec(5)
        paths = [*_DOORS, *(f"{user}/{name}" for name in _USER_DOORS), *self._place.hidden]
        if credentials:
            paths.append(credentials)
        return [os.path.realpath(path) for path in paths]

    def _masks(self) -> list[str]:
        """The mounts as arguments. What is not there need not, and must not, be masked: bwrap
        would make it."""
        seal = self._seal()
        masks: list[str] = []
        lost = [self._home] if self._home and os.path.isdir(self._home) else []  # noqa: PTH112 - before every command
        for inside, outside in self._mounts():
            if outside is not None:
                masks += (
                    "--ro-bind-try" if inside in seal.shown else "--bind-try",
                    outside,
                    inside,
                )
            elif os.path.isdir(inside):  # noqa: PTH112 - as above
                masks += ("--tmpfs", inside)
                lost += [inside] if inside in seal.hidden else []
            elif os.path.exists(inside):  # noqa: PTH110 - as above
                masks += ("--ro-bind", "/dev/null", inside)
        for path in lost:  # what is written there would be
            masks += ("--remount-ro", path)
        return masks


class BubblewrapEnvironment(ShellEnvironment):
    """Commands run as this user on this machine, without sight of our secrets."""

    def __init__(self, place: Place) -> None:
        super().__init__(Bubblewrap(place), place)


def unusable() -> str | None:
    """Why bubblewrap does not work here, or None when it does. Takes some milliseconds."""
    if shutil.which("bwrap") is None:
        return "bwrap is not installed."
    tried = subprocess.run(
        ("bwrap", *_base(), "--", "true"), capture_output=True, text=True, cwd="/", check=False
    )
    return tried.stderr.strip() or f"status {tried.returncode}." if tried.returncode else None


def _base() -> tuple[str, ...]:
    kept = [word for name in _CAPABILITIES for word in ("--cap-add", name)]
    return (
        *("--bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *("--unshare-pid", "--unshare-ipc", "--die-with-parent"),
        *(("--cap-drop", "ALL", *kept) if os.getuid() == 0 else ()),
    )
