"""What is usual for containers (data/defaults.json), which the Nix modules read too."""

from pathlib import Path

import msgspec


class Defaults(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`stop_seconds` is longer than a drain takes. `log` and `engine_options` are arguments for
    `create`, `oldest` versions, by engine."""

    stop_seconds: int
    drop_capabilities: tuple[str, ...]
    path: str
    provision: tuple[str, ...]
    oldest: dict[str, str]
    log: dict[str, tuple[str, ...]]
    engine_options: dict[str, tuple[str, ...]]


class _File(msgspec.Struct, frozen=True):
    container: Defaults


def defaults() -> Defaults:
    """As they are shipped."""
    path = Path(__file__).parent.parent / "data" / "defaults.json"
    return msgspec.json.decode(path.read_bytes(), type=_File).container
