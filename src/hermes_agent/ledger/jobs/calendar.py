"""When a schedule is due."""

from datetime import tzinfo

from hermes_agent.domain.errors import UsageError
from hermes_agent.domain.jobs import Schedule
from hermes_agent.ledger.jobs.zones import at

MAX_MISSED = 10
"""Most missed runs that are made up for."""

_FIELDS = 5


def check_expression(expr: str) -> None:
    """Raises `UsageError` for what is no cron expression of five fields."""
    from cronsim import CronSim, CronSimError

    fields = expr.split()
    if len(fields) != _FIELDS:
        raise UsageError(
            f"A cron expression has five fields; {expr!r} has {len(fields)}.",
            hint="Minute, hour, day of the month, month, day of the week: 30 9 * * 1-5",
        )
    try:
        CronSim(expr, at(0, _utc()))
    except CronSimError as error:
        raise UsageError(
            f"{expr!r} is no cron expression: {str(error).lower()}.",
            hint="Minute, hour, day of the month, month, day of the week: 30 9 * * 1-5",
        ) from error


def next_after(schedule: Schedule, after: float, where: tzinfo, anchor: float) -> float | None:
    """The first instant later than `after`; None when there is none.

    Intervals are counted from `anchor`. A fixed time of day that clocks skip is due at the next
    instant that they show, one that they show twice is due at the first alone; what is due every
    hour or minute follows real time (as Debian's cron does it).
    """
    match schedule.kind:
        case "once":
            return schedule.run_at if (schedule.run_at or 0.0) > after else None
        case "interval":
            period = schedule.minutes * 60.0
            return anchor + ((after - anchor) // period + 1) * period
        case "cron":
            return _next_by_clock(schedule.expr, after, where)


def _next_by_clock(expr: str, after: float, where: tzinfo) -> float | None:
    from cronsim import CronSim

    try:
        for found in CronSim(expr, at(after, where)):
            # In an hour that clocks show twice, the first match may lie before `after`.
            if found.timestamp() > after:
                return found.timestamp()
    except (OverflowError, ValueError):
        return None
    return None


def missed(
    schedule: Schedule, due: float, now: float, where: tzinfo, anchor: float
) -> tuple[float, ...]:
    """`due` and what else was due until `now`; of more than `MAX_MISSED` the latest."""
    match schedule.kind:
        case "once":
            later: list[float] = []
        case "interval":
            period = schedule.minutes * 60.0
            last = anchor + (now - anchor) // period * period
            later = [last - period * back for back in range(MAX_MISSED)]
        case "cron":
            later = _before_by_clock(schedule.expr, now, where)
    return tuple(sorted({due, *(moment for moment in later if moment > due)})[-MAX_MISSED:])


def _before_by_clock(expr: str, until: float, where: tzinfo) -> list[float]:
    from itertools import islice

    from cronsim import CronSim

    back = CronSim(expr, at(until + 1, where), reverse=True)
    found = (moment.timestamp() for moment in islice(back, 2 * MAX_MISSED))
    return [moment for moment in found if moment <= until]


def _utc() -> tzinfo:
    from datetime import UTC

    return UTC
