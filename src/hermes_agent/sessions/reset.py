"""When a chat begins anew: after a pause, at an hour of the day, or never."""

from datetime import datetime, time, timedelta, tzinfo
from typing import Literal

from hermes_agent.config.schema.gateway import SessionReset

Reset = Literal["idle", "daily"]


def due(
    policy: SessionReset, *, last: float, now: float, zone: tzinfo | None = None
) -> Reset | None:
    """Why a conversation whose last message came at `last` begins anew at `now`, or None.

    Both are Unix seconds. The hour is that of `zone`, or of this machine. A clock that went
    back resets nothing.
    """
    if policy.mode in ("both", "idle") and now - last >= policy.idle_minutes * 60:
        return "idle"
    if policy.mode in ("both", "daily") and last < _latest(policy.at_hour, now, zone) <= now:
        return "daily"
    return None


def _latest(hour: int, now: float, zone: tzinfo | None) -> float:
    """The last moment, not after `now`, when the clock said `hour`."""
    here = datetime.fromtimestamp(now).astimezone(zone)
    tz = zone or here.tzinfo
    moment = datetime.combine(here.date(), time(hour % 24), tz)
    if moment.timestamp() > now:
        moment = datetime.combine(here.date() - timedelta(days=1), time(hour % 24), tz)
    return moment.timestamp()
