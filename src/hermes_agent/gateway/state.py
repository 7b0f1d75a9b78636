"""`gateway.pid` and `gateway_state.json`: what other people's tools read about the gateway.

Nothing of ours decides by them; the lock does (`hermes_agent.gateway.lock`). Their names and keys
are documented, so they are kept as they are.
"""

import logging
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from hermes_agent.config.files import NotWritten, write_atomically
from hermes_agent.gateway.modes import file_mode
from hermes_agent.gateway.process import start_ticks

PID_NAME = "gateway.pid"
STATE_NAME = "gateway_state.json"
KIND = "hermes-gateway"
_MOST_BYTES = 2**20

GatewayState = Literal["starting", "running", "draining", "stopped", "startup_failed"]
PlatformState = Literal["connecting", "connected", "retrying", "failed", "disconnected"]

_log = logging.getLogger(__name__)


class PlatformStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How one platform is. `state` is a `PlatformState`, or what another version wrote."""

    state: str
    error_code: str | None = None
    error_message: str | None = None
    updated_at: str = ""


class GatewayStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of gateway_state.json; times are ISO 8601 in UTC."""

    pid: int = 0
    kind: str = KIND
    argv: tuple[str, ...] = ()
    start_time: int | None = None
    gateway_state: str = "stopped"
    exit_reason: str | None = None
    platforms: dict[str, PlatformStatus] = {}
    updated_at: str = ""


class StateFiles:
    """Writes both files. `redact` blanks secrets in what platforms say of their errors.

    For the holder of the lock only. A disk that takes nothing costs these files only.
    """

    def __init__(self, home: Path, argv: Sequence[str], redact: Callable[[str], str] = str) -> None:
        self._home = home
        self._redact = redact
        pid = os.getpid()
        self._now = GatewayStatus(
            pid=pid,
            argv=tuple(redact(word) for word in argv),
            start_time=start_ticks(pid),
            gateway_state="starting",
        )

    @property
    def now(self) -> GatewayStatus:
        """What the file says, or would say on a disk with room."""
        return self._now

    def begin(self) -> None:
        """Write both: `starting`."""
        now = self._now
        about = {
            "pid": now.pid, "kind": KIND, "argv": now.argv, "start_time": now.start_time
        }  # fmt: skip
        self._write(PID_NAME, msgspec.json.encode(about))
        self._save(now)

    def turn(self, state: GatewayState, reason: str | None = None) -> None:
        """The gateway is in this state now; `reason` says why it ends."""
        self._save(
            msgspec.structs.replace(
                self._now,
                gateway_state=state,
                exit_reason=None if reason is None else self._redact(reason),
            )
        )

    def platform(
        self,
        name: str,
        state: PlatformState,
        *,
        code: str | None = None,
        message: str | None = None,
    ) -> None:
        """A platform is in this state now."""
        status = PlatformStatus(
            state=state,
            error_code=code,
            error_message=None if message is None else self._redact(message),
            updated_at=_timestamp(),
        )
        platforms = {**self._now.platforms, name: status}
        self._save(msgspec.structs.replace(self._now, platforms=platforms))

    def end(self, reason: str | None = None, *, failed: bool = False) -> None:
        """The last word: `stopped`, or `startup_failed`. gateway.pid is removed."""
        self.turn("startup_failed" if failed else "stopped", reason)
        try:
            (self._home / PID_NAME).unlink(missing_ok=True)
        except OSError as error:
            _log.warning("cannot remove %s: %s", self._home / PID_NAME, error.strerror)

    def _save(self, status: GatewayStatus) -> None:
        self._now = msgspec.structs.replace(status, updated_at=_timestamp())
        self._write(STATE_NAME, msgspec.json.format(msgspec.json.encode(self._now)))

    def _write(self, name: str, data: bytes) -> None:
        try:
            write_atomically(self._home / name, data + b"\n", file_mode(self._home))
        except NotWritten as error:
            _log.warning("%s", error.message)


def read_status(home: Path) -> GatewayStatus | None:
    """What gateway_state.json says, None where there is none or nobody can read it.

    It may be out of date: a gateway that was killed leaves its last state behind. Ask the lock.
    """
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(home / STATE_NAME, flags)
        with os.fdopen(descriptor, "rb") as file:
            return msgspec.json.decode(file.read(_MOST_BYTES), type=GatewayStatus)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _timestamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
