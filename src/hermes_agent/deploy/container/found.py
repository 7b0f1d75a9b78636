"""A container as its engine describes it. Sources: docker-inspect(1), podman-inspect(1)."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

IDENTITY = "hermes-agent.identity"
"""The label that makes a container ours and says what it was created from."""
NAME = "hermes-agent.name"
"""The label that says whose it is, whatever it is called now."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A container as it is now. `status` is the engine's word; `pid` that of its first process, 0
    if none runs, `monitor` that of Podman's process beside it; `fault` is why it could not be
    started."""

    id: str
    name: str
    status: str
    pid: int = 0
    monitor: int = 0
    exit_status: int = 0
    started: str = ""
    fault: str = ""
    out_of_memory: bool = False
    labels: Mapping[str, str] = {}

    @property
    def unwatched(self) -> bool:
        """Whether it runs, as Podman says, without Podman's process beside it, which reads the
        agent's output and tells Podman of the container's end."""
        return self.alive and self.monitor > 0 and not there(self.monitor)

    @property
    def ours(self) -> bool:
        """Whether we made it."""
        return IDENTITY in self.labels

    @property
    def alive(self) -> bool:
        """Whether processes are in it, be they paused."""
        return self.status in ("running", "paused", "restarting", "stopping", "unpausing")


def described(text: str) -> Found:
    """The container in what `container inspect` prints. Raises `msgspec.DecodeError`."""
    raw = msgspec.json.decode(text, type=tuple[_Inspected])[0]
    state = raw.state
    return Found(
        id=raw.id,
        name=raw.name.lstrip("/"),
        status=state.status.lower(),
        pid=state.pid,
        monitor=state.conmon_pid,
        exit_status=state.exit_code,
        started=state.started_at,
        fault=" ".join(state.error.split()),
        out_of_memory=state.oom_killed,
        labels=raw.config.labels or {},
    )


def there(pid: int) -> bool:
    """Whether there is such a process."""
    return pid > 0 and Path(f"/proc/{pid}").exists()


class _State(msgspec.Struct, frozen=True, rename="pascal"):
    status: str
    pid: int = 0
    conmon_pid: int = 0
    exit_code: int = 0
    started_at: str = ""
    error: str = ""
    oom_killed: bool = msgspec.field(default=False, name="OOMKilled")


class _Config(msgspec.Struct, frozen=True, rename="pascal"):
    labels: dict[str, str] | None = None


class _Inspected(msgspec.Struct, frozen=True, rename="pascal"):
    id: str
    name: str
    state: _State
    config: _Config
