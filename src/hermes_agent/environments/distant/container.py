"""Containers of Docker and Podman, one for each session."""

import asyncio
import os
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path

from hermes_agent.domain.errors import ConfigError
from hermes_agent.environments.distant.environment import DistantEnvironment
from hermes_agent.environments.distant.guard import DistantGuard
from hermes_agent.environments.distant.orphans import LABEL, identity, remove_orphans
from hermes_agent.environments.enclosure import Launch, Place
from hermes_agent.environments.options import ContainerOptions
from hermes_agent.environments.variables import QUIET

WORKSPACE = "/workspace"

_HOME = "/root"
_SCRATCH = "/run/hermes"
_PROCESSES = 256

# What root keeps: enough to own and install files.
_CAPABILITIES = ("DAC_OVERRIDE", "CHOWN", "FOWNER")

# An image may have to be fetched.
_PATIENCE = 900.0

# One argument may hold 128 KiB, and the script goes along.
_LONGEST = 100_000


class Container:
    """The way into a container. It lives as long as its first process, which reads what we hold
    the other end of: however we die, it ends, and the engine removes it (`--rm`)."""

    def __init__(self, engine: str, place: Place) -> None:
        options = place.container
        if options is None:
            raise ConfigError(
                f"The backend {engine} needs an image.", hint="Set terminal.docker_image."
            )
        self.name = engine
        self.noun = "the container"
        self.scratch = None
        self.scratch_base = _SCRATCH
        self.patience = _PATIENCE
        self.longest = _LONGEST
        self._engine = engine
        self._place = place
        self._options: ContainerOptions = options
        self._client = dict(place.variables)
        self.variables: Mapping[str, str] = {**QUIET, **options.variables}
        self._container = ""
        self._reaping: asyncio.Task[None] | None = None

    def guard(self) -> DistantGuard:
        """What is mounted from this machine is judged as it is here."""
        mounts = [(inside, outside) for outside, inside in map(_volume, self._options.volumes)]
        if self._options.workspace:
            mounts.append((WORKSPACE, self._options.workspace))
        return DistantGuard(
            contained=True,
            mounts=[(inside, os.path.realpath(outside)) for inside, outside in mounts],
            homes=[os.path.realpath(Path.home())],
            agents=[os.path.realpath(self._place.home)] if self._place.home else [],
            write_root=self._place.write_root,
        )

    async def open(self, keeper: Sequence[str], mark: str) -> Launch:
        """A new container around the keeper. What a dead session left is removed beside it."""
        if self._reaping is None:
            self._reaping = asyncio.create_task(remove_orphans(self._engine, self._client))
        self._container = f"hermes-{mark}{os.urandom(3).hex()}"
        return Launch(
            argv=[self._engine, "run", *self._arguments(), self._options.image, *keeper],
            cwd="/",
            variables=self._client,
        )

    def launch(
        self, argv: Sequence[str], *, variables: Mapping[str, str], pty: bool, stdin: bool
    ) -> Launch:
        """`exec` in it. Variables go by name; their values are in the client's environment."""
        flags = [*(["--interactive"] if stdin or pty else ()), *(["--tty"] if pty else ())]
        for name in variables:
            flags += ("--env", name)
        return Launch(
            argv=[self._engine, "exec", *flags, self._container, *argv],
            cwd="/",
            variables={**self._client, **variables},
        )

    async def leave(self) -> None:
        """Remove it, in case the engine did not."""
        container, self._container = self._container, ""
        if container:
            await quietly([self._engine, "rm", "--force", "--volumes", container], self._client)

    async def close(self) -> None:
        """Wait for the removal of what others left."""
        if self._reaping is not None:
            await asyncio.wait((self._reaping,), timeout=5)
            self._reaping.cancel()

    def probe(self) -> Launch:
        """How to ask the engine for its version."""
        version = "{{.Server.Version}}" if self._engine == "docker" else "{{.Version.Version}}"
        what = "version" if self._engine == "docker" else "info"
        argv = [self._engine, what, "--format", version]
        return Launch(argv=argv, cwd="/", variables=self._client)

    def _arguments(self) -> list[str]:
        options = self._options
        arguments = [
            *("--rm", "--interactive", "--init", "--name", self._container),
            *("--label", f"{LABEL}={identity()}", "--workdir", "/", "--entrypoint", ""),
            *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
            *(word for name in _CAPABILITIES for word in ("--cap-add", name)),
            *("--pids-limit", str(_PROCESSES), "--tmpfs", "/tmp:rw,exec,nosuid"),  # noqa: S108 - the container's own
            *("--tmpfs", f"{_SCRATCH}:rw,nosuid,mode=1777,size=64m"),
        ]
        if options.cpus:
            arguments += ("--cpus", f"{options.cpus:g}")
        if options.memory:
            arguments += ("--memory", f"{options.memory}m")
        for volume in options.volumes:
            outside, inside = _volume(volume)
            rest = volume.split(":", 2)[2:]
            arguments += ("--volume", ":".join((outside, inside, *rest)))
        taken = {inside for _, inside in map(_volume, options.volumes)}
        for inside, outside, flags in self._kept():
            if inside in taken:
                continue
            if outside is None:
                arguments += ("--tmpfs", f"{inside}:rw,exec,nosuid")
            else:
                arguments += ("--volume", f"{outside}:{inside}{flags}")
        return arguments

    def _kept(self) -> list[tuple[str, str | None, str]]:
        """What lies behind the workspace and the home directory."""
        sandbox = self._options.sandbox
        kept: list[tuple[str, str | None, str]] = []
        for inside, name in ((WORKSPACE, "workspace"), (_HOME, "home")):
            if inside == WORKSPACE and self._options.workspace:
                kept.append((inside, self._options.workspace, ""))
            elif sandbox is None:
                kept.append((inside, None, ""))
            else:
                folder = Path(sandbox, name)
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                kept.append((inside, str(folder), ":z"))
        return kept


class DockerEnvironment(DistantEnvironment):
    """Commands run in a container of Docker."""

    def __init__(self, place: Place) -> None:
        super().__init__(Container("docker", place), place)


class PodmanEnvironment(DistantEnvironment):
    """Commands run in a container of Podman."""

    def __init__(self, place: Place) -> None:
        super().__init__(Container("podman", place), place)


async def quietly(
    argv: Sequence[str], variables: Mapping[str, str], *, seconds: float = 30
) -> tuple[int, str]:
    """Run a client to its end: status (-1 when there was none) and what it printed."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=variables,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        return -1, str(error)
    try:
        async with asyncio.timeout(seconds):
            output, _ = await process.communicate()
    except TimeoutError:
        return -1, f"no answer within {seconds:g} seconds"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode("utf-8", "replace")


def _volume(text: str) -> tuple[str, str]:
    """Outside and inside. Raises `ConfigError`."""
    outside, _, rest = text.partition(":")
    inside = rest.partition(":")[0]
    outside = os.path.expanduser(outside)  # noqa: PTH111 - text
    if not outside or not posixpath.isabs(inside):
        raise ConfigError(
            f"terminal.docker_volumes: '{text}' is no volume.",
            hint="Write it as /host/folder:/folder or /host/folder:/folder:ro.",
        )
    return outside, posixpath.normpath(inside)
