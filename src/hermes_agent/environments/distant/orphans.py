"""Containers whose agent is dead."""

import hashlib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LABEL = "hermes-agent.session"


@cache
def identity() -> str:
    """Who we are: machine, boot, namespace of processes, process and when it started."""
    return f"{_here()}-{os.getpid()}-{_began(os.getpid())}"


async def remove_orphans(engine: str, variables: Mapping[str, str]) -> None:
    """Remove containers of this machine's dead agents.

    Containers end by themselves with their agent; this is for what an engine that was killed
    left. Another machine's, and those of agents whose processes cannot be seen from here, stay.
    """
    from hermes_agent.environments.distant.container import quietly

    listing = [engine, "ps", "--all", "--quiet", "--filter", f"label={LABEL}"]
    status, output = await quietly(listing, variables)
    found = [line for line in output.split() if _is_id(line)]
    if status != 0 or not found:
        return
    template = f'{{{{.Id}}}} {{{{index .Config.Labels "{LABEL}"}}}}'
    asking = [engine, "container", "inspect", "--format", template, *found]
    _, output = await quietly(asking, variables)
    for line in output.splitlines():
        container, _, label = line.partition(" ")
        if _is_id(container) and is_dead(label):
            await quietly([engine, "rm", "--force", "--volumes", container], variables)


def is_dead(label: str) -> bool:
    """Whether the agent that wrote it certainly lives no more."""
    machine, _, rest = label.partition("-")
    ours_machine, _, ours = _here().partition("-")
    if machine != ours_machine:
        return False
    boot, _, rest = rest.partition("-")
    ours_boot, _, ours_space = ours.partition("-")
    if boot != ours_boot:
        return bool(boot)
    space, _, rest = rest.partition("-")
    pid, _, began = rest.partition("-")
    return space == ours_space and pid.isdigit() and _began(int(pid)) != began


@cache
def _here() -> str:
    # machine-id(5) asks not to be shown as it is
    machine = hashlib.sha256(b"hermes-agent" + _bytes("/etc/machine-id")).hexdigest()[:12]
    boot = _bytes("/proc/sys/kernel/random/boot_id").decode().strip().replace("-", "")[:12]
    try:
        space = os.readlink("/proc/self/ns/pid").strip("pid:[]")  # noqa: PTH115 - a text, no path
    except OSError:
        space = ""
    return f"{machine}-{boot}-{space}"


def _began(pid: int) -> str:
    """When it started, in ticks since boot (proc(5), field 22); empty when it runs no more."""
    fields = _bytes(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return fields[19].decode() if len(fields) > 19 and fields[0] not in b"ZX" else ""


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _is_id(text: str) -> bool:
    return len(text) >= 12 and all(letter in "0123456789abcdef" for letter in text)
