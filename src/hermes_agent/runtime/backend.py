"""Which environment commands run in, and what it is made from."""

import os
from collections.abc import Mapping
from pathlib import Path
from posixpath import isabs

import msgspec

from hermes_agent.config.load import Loaded
from hermes_agent.config.schema.execution import Terminal
from hermes_agent.environments.enclosure import Place
from hermes_agent.environments.options import ContainerOptions, SshOptions
from hermes_agent.environments.variables import child_variables

CONTAINERS = ("docker", "podman")
DISTANT = (*CONTAINERS, "ssh", "singularity", "modal", "daytona")
"""The backends where commands and file tools do not see this machine's files."""


def backend_of(loaded: Loaded) -> str:
    """`terminal.backend`; in a managed home `local` means bubblewrap where that works.

    There the agent must not be able to lift its own gate, so its commands may not reach what
    decides about it. Elsewhere `local` is what it says: sudo works, and doctor says how strong
    the gate is.
    """
    backend = loaded.config.terminal.backend
    if backend != "local" or loaded.managed is None:
        return backend
    from hermes_agent.environments.bubblewrap import unusable

    return "bubblewrap" if unusable() is None else backend


def place_of(loaded: Loaded, backend: str, *, cwd: Path, variables: Mapping[str, str]) -> Place:
    """What the environment `backend` is built from. `cwd` is where commands begin on this
    machine; a place with files of its own begins at `terminal.cwd` if that is absolute, else at
    /workspace, or in the home directory of the other machine."""
    config, terminal = loaded.config, loaded.config.terminal
    return Place(
        cwd=_beginning(terminal, backend, cwd),
        variables=variables,
        home=loaded.paths.home,
        persistent=terminal.persistent_shell,
        output_chars=config.tool_output.max_bytes,
        opened=terminal.bubblewrap_open,
        write_root=loaded.environ.get("HERMES_WRITE_SAFE_ROOT") or None,
        container=_container(loaded, backend, cwd) if backend in CONTAINERS else None,
        ssh=_ssh(terminal) if backend == "ssh" else None,
    )


def usable(loaded: Loaded, terminal: Terminal) -> tuple[bool, str]:
    """Whether `terminal` would work here, with a sentence. Takes up to 20 seconds."""
    if terminal.backend == "bubblewrap":
        from hermes_agent.environments.bubblewrap import unusable

        reason = unusable()
        return reason is None, (
            f"bubblewrap does not work here: {reason}" if reason else "bubblewrap works here"
        )
    config = msgspec.structs.replace(loaded.config, terminal=terminal)
    found = reachable(msgspec.structs.replace(loaded, config=config))
    return found or (True, f"{terminal.backend} works everywhere")


def reachable(loaded: Loaded) -> tuple[bool, str] | None:
    """Whether what `terminal.backend` needs beyond this machine answers, with a sentence; None
    for the backends that need nothing. Takes up to 20 seconds."""
    backend = backend_of(loaded)
    if backend not in DISTANT:
        return None
    from hermes_agent.domain.errors import ConfigError
    from hermes_agent.environments import TABLE, plugin
    from hermes_agent.environments.distant.reaching import reach

    variables = child_variables(loaded.environ, secrets=loaded.secrets)
    place = place_of(loaded, backend, cwd=Path.home(), variables=variables)
    try:
        if backend in TABLE:
            return reach(backend, place)
        plugin(backend)
    except ConfigError as error:
        return False, f"{error.message} {error.hint or ''}".strip()
    return True, "its plugin is installed"


def mounted(loaded: Loaded, backend: str, cwd: Path) -> Path | None:
    """`cwd`, where it is what a container has as its working directory."""
    there = backend in CONTAINERS and loaded.config.terminal.docker_mount_cwd_to_workspace
    return cwd if there else None


def described(terminal: Terminal, backend: str) -> str:
    """A distant place, in a few words for the model."""
    if backend == "ssh":
        return f"{terminal.ssh_host}, by ssh"
    image = getattr(terminal, f"{'docker' if backend in CONTAINERS else backend}_image", "")
    return f"a container of {backend} ({image})"


def _beginning(terminal: Terminal, backend: str, cwd: Path) -> str:
    if backend not in DISTANT:
        return str(cwd)
    if backend == "ssh":
        return terminal.cwd if terminal.cwd.startswith(("/", "~")) else "~"
    absolute = isabs(terminal.cwd) and not terminal.docker_mount_cwd_to_workspace
    return terminal.cwd if absolute else "/workspace"


def _container(loaded: Loaded, backend: str, cwd: Path) -> ContainerOptions:
    terminal = loaded.config.terminal
    root = terminal.sandbox_dir and os.path.expanduser(terminal.sandbox_dir)  # noqa: PTH111 - text
    folder = Path(root) if root else loaded.paths.home / "sandboxes"
    return ContainerOptions(
        image=terminal.docker_image,
        cpus=terminal.container_cpu,
        memory=terminal.container_memory,
        volumes=terminal.docker_volumes,
        variables={
            name: loaded.environ[name]
            for name in terminal.docker_forward_env
            if name in loaded.environ
        },
        sandbox=str(folder.absolute() / backend) if terminal.container_persistent else None,
        workspace=str(cwd) if terminal.docker_mount_cwd_to_workspace else None,
    )


def _ssh(terminal: Terminal) -> SshOptions:
    return SshOptions(
        host=terminal.ssh_host,
        user=terminal.ssh_user,
        port=terminal.ssh_port,
        key=terminal.ssh_key and os.path.expanduser(terminal.ssh_key),  # noqa: PTH111 - text
    )
