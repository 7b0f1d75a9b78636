"""Time zones, and the instants of clock times in them."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from hermes_agent.domain.errors import ConfigError

LOCALTIME = Path("/etc/localtime")


def zone(name: str, environ: Mapping[str, str] = os.environ) -> tzinfo:
    """The time zone of an IANA name; that of the machine for an empty one, with its changes of
    clocks. Raises `ConfigError`."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if not name:
        return _machines(environ.get("TZ", ""))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"There is no time zone called {name!r} on this machine.",
            hint="Time zones are called like Europe/Berlin or America/New_York.",
        ) from error


def _machines(variable: str) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    named = variable.removeprefix(":")
    if named:
        try:
            return ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return UTC
    try:
        with LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file, key=_key())
    except (OSError, ValueError):
        return UTC


def _key() -> str:
    """The zone's name where the file is a link to it."""
    _, _, name = os.path.realpath(LOCALTIME).partition("/zoneinfo/")
    return name or "local"


def instant(wall: datetime, where: tzinfo) -> float:
    """When clocks there show `wall` (without a zone). A time that they skip is the next one they
    show; of one that they show twice it is the first."""
    found = wall.replace(tzinfo=where, fold=0)
    while found.astimezone(UTC).astimezone(where).replace(tzinfo=None) != wall:
        wall = (wall + timedelta(minutes=1)).replace(second=0, microsecond=0)
        found = wall.replace(tzinfo=where, fold=0)
    return found.timestamp()


def at(moment: float, where: tzinfo) -> datetime:
    """The clock time of an instant there."""
    return datetime.fromtimestamp(moment, where)
