"""How the daemon is, as wiring tells it."""

from typing import Literal

import msgspec

State = Literal["ok", "degraded", "down"]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the daemon: a platform, the ledger, the scheduler. `since` is Unix time."""

    state: State
    detail: str = ""
    since: float | None = None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The whole, and its parts by name. `uptime` is in seconds."""

    status: State = "ok"
    version: str = ""
    uptime: float = 0.0
    parts: dict[str, Part] = msgspec.field(default_factory=dict[str, Part])
