"""What the machine has: Python, programs that tools use, how strong the gate can be."""

import platform
import shutil
from collections.abc import Iterator

from hermes_agent.cli.checks import Finding
from hermes_agent.config.load import Loaded
from hermes_agent.environments.bubblewrap import unusable
from hermes_agent.runtime.backend import CONTAINERS, DISTANT, backend_of, reachable

_PROGRAMS = {
    "git": "for @diff and for work on code",
    "rg": "for a quick search_files (package ripgrep); without it a slower search is used",
    "bwrap": "for the bubblewrap backend, which hides secrets from commands (package bubblewrap)",
    "bash": "for the terminal tool",
}
_NEEDED = {"bash"}


def machine(loaded: Loaded) -> Iterator[Finding]:
    """Python, programs, the gate."""
    yield Finding(
        area="machine",
        level="ok",
        text=f"Python {platform.python_version()} on {platform.system()} {platform.machine()}",
    )
    for name, purpose in _PROGRAMS.items():
        path = shutil.which(name)
        if path:
            yield Finding(area="machine", level="ok", text=f"{name}: {path}")
        else:
            level = "problem" if name in _NEEDED else "note"
            yield Finding(area="machine", level=level, text=f"{name} is missing", hint=purpose)
    yield gate(loaded)
    found = reachable(loaded)
    if found is not None:
        answers, sentence = found
        yield Finding(
            area="terminal",
            level="ok" if answers else "problem",
            text=f"terminal.backend {backend_of(loaded)}: {sentence}",
            hint="" if answers else "Put that right, or set terminal.backend to local.",
        )


def _mounts(loaded: Loaded) -> bool:
    terminal = loaded.config.terminal
    return bool(terminal.docker_volumes) or terminal.docker_mount_cwd_to_workspace


def gate(loaded: Loaded) -> Finding:
    """How strong the gate before commands is, plainly."""
    backend = backend_of(loaded)
    if backend in CONTAINERS:
        mounted = ", but for what is mounted" if _mounts(loaded) else ""
        return Finding(
            area="gate",
            level="ok",
            text=f"commands run in a container of {backend}: this machine is out of reach{mounted}",
        )
    if backend in DISTANT:
        host = backend == "ssh" and loaded.config.terminal.ssh_host
        return Finding(
            area="gate",
            level="ok",
            text=f"commands run on {host or f'another machine ({backend})'}: "
            "what its user may do, they may",
        )
    why_not = unusable()
    if backend == "bubblewrap":
        if why_not is None:
            return Finding(
                area="gate",
                level="ok",
                text="commands run in bubblewrap: secrets and the daemon are out of reach",
            )
        return Finding(
            area="gate",
            level="problem",
            text=f"terminal.backend is bubblewrap, and it does not work here: {why_not}",
            hint="Install it, or allow unprivileged user namespaces.",
        )
    hint = "hermes config set terminal.backend bubblewrap" if why_not is None else ""
    if loaded.managed is not None:
        why = f"; it does not work here: {why_not}" if why_not else ""
        hint = f"Declare terminal.backend as bubblewrap{why}"
    return Finding(
        area="gate",
        level="note",
        text="gate advisory: tools share the agent's uid",
        hint=hint,
    )
