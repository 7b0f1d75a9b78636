"""Schedules as people write them: `every weekday at 9`, `30m`, `tomorrow at 18:30`, `0 9 * * 1`."""

import re
from datetime import datetime, timedelta, tzinfo

from hermes_agent.domain.errors import UsageError
from hermes_agent.domain.jobs import Schedule
from hermes_agent.ledger.jobs.calendar import check_expression, next_after
from hermes_agent.ledger.jobs.clocktimes import Clock, clock_times
from hermes_agent.ledger.jobs.zones import at, instant

EXAMPLES = (
    "every 30m · 2h · hourly · daily at 7 · every weekday at 9 · every monday and friday at 18:30"
    " · first of the month at 8 · last friday of the month at 17 · in 20 minutes · tomorrow at 9"
    " · 2027-01-31 09:00 · 30 9 * * 1-5"
)
"""What can be written, for people."""

MAX_TEXT = 200
_MAX_MINUTES = 366 * 24 * 60
_DEFAULT_TIME = Clock(9, 0)

_UNITS = {"m": 1, "h": 60, "d": 1440, "w": 10080}
_AMOUNT = (
    r"(?:(\d{1,6})\s*(m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?![a-z])\s*(?:and\s+)?)"
)
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_SETS = {"day": "*", "weekday": "1-5", "workday": "1-5", "weekend": "6,0"}
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_ORDER = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 0}
_PARTS_OF_DAY = {"morning": Clock(8, 0), "evening": Clock(18, 0), "night": Clock(22, 0)}


def schedule_of(text: str, now: float, where: tzinfo) -> Schedule:
    """The schedule that `text` means. Raises `UsageError` with examples."""
    if len(text) > MAX_TEXT:
        raise UsageError(f"A schedule has at most {MAX_TEXT} characters.", hint=EXAMPLES)
    words = " ".join(text.split()).strip(" .,")
    found = (
        _expression(words)
        or _once(words, now, where)
        or _interval(words.lower())
        or _recurring(words.lower())
    )
    if found is None:
        raise _unknown(text)
    if next_after(found, now, where, now) is None:
        what = "is in the past" if found.kind == "once" else "never comes"
        raise UsageError(f"{text!r} {what}.", hint=f"Examples: {EXAMPLES}")
    return found


def _unknown(text: str) -> UsageError:
    return UsageError(f"{text!r} is no schedule that I understand.", hint=f"Examples: {EXAMPLES}")


def _too_long(text: str) -> UsageError:
    return UsageError(f"{text!r} is not from one minute to a year.", hint=f"Examples: {EXAMPLES}")


def _expression(text: str) -> Schedule | None:
    macro = _MACROS.get(text.lower())
    if macro:
        return Schedule(kind="cron", expr=macro, display=text.lower())
    fields = text.split(" ")
    if not re.fullmatch(r"[\d*][\d*/,\-]*", fields[0]) or len(fields) < 5:
        return None
    if not all(re.fullmatch(r"[\w*/,\-#?]+", field) for field in fields):
        return None
    check_expression(text)
    return Schedule(kind="cron", expr=text, display=text)


def _interval(text: str) -> Schedule | None:
    text = re.sub(r"^every\s+", "", text)
    if text in ("minute", "hour", "week"):
        text = f"1 {text}"
    if not re.fullmatch(rf"(?:{_AMOUNT})+", text):
        return None
    minutes = _minutes(text)
    if not 1 <= minutes <= _MAX_MINUTES:
        raise _too_long(text)
    return Schedule(kind="interval", minutes=minutes, display=f"every {duration(minutes)}")


def _minutes(text: str) -> int:
    return sum(int(number) * _UNITS[unit[0]] for number, unit in re.findall(_AMOUNT, text))


def duration(minutes: int) -> str:
    """`90` is `1h 30m`."""
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (left, "m"))
    return " ".join(f"{number}{unit}" for number, unit in parts if number) or "0m"


def _once(text: str, now: float, where: tzinfo) -> Schedule | None:
    lower = text.lower()
    later = re.fullmatch(rf"in ((?:{_AMOUNT})+)", lower)
    if later:
        minutes = _minutes(later[1])
        if minutes > _MAX_MINUTES:
            raise _too_long(text)
        return _single(now + 60.0 * minutes, where)
    if re.match(r"\d{4}-\d\d-\d\d", lower):
        return _moment(text, where)
    today = at(now, where)
    match = re.fullmatch(
        rf"(?:(today|tomorrow|(?:next|on) (?:{'|'.join(_DAYS)}))(?: at (.+))?|at (.+))", lower
    )
    if match is None:
        return None
    day, *clocks = match.groups()
    clock = _one_time(next((each for each in clocks if each), None))
    if day is None:
        moment = instant(_wall(today, clock), where)
        if moment <= now:
            moment = instant(_wall(today + timedelta(days=1), clock), where)
        return _single(moment, where)
    ahead = {"today": 0, "tomorrow": 1}.get(day)
    if ahead is None:
        ahead = (_DAYS.index(day.split()[1]) - today.isoweekday()) % 7 or 7
    return _single(instant(_wall(today + timedelta(days=ahead), clock), where), where)


def _moment(text: str, where: tzinfo) -> Schedule:
    day, clock = text[:10], re.sub(r"^(?:\s+at\s+|\s+)", "", text[10:], flags=re.I)
    try:
        if clock and text[10] == " " and not re.search(r"[+zZ-]|:\d\d:", clock):
            found = _wall(datetime.fromisoformat(day), _one_time(clock))
        elif clock:
            found = datetime.fromisoformat(f"{day} {clock.removeprefix('T')}")
        else:
            found = _wall(datetime.fromisoformat(day), _DEFAULT_TIME)
        moment = found.timestamp() if found.tzinfo else instant(found, where)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is no point in time.", hint="Such as: 2027-01-31 09:00"
        ) from error
    return _single(moment, where)


def _single(moment: float, where: tzinfo) -> Schedule:
    shown = at(moment, where).strftime("%Y-%m-%d %H:%M")
    return Schedule(kind="once", run_at=moment, display=f"once at {shown}")


def _wall(day: datetime, clock: Clock) -> datetime:
    return day.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0, tzinfo=None)


def _one_time(text: str | None) -> Clock:
    clocks = clock_times(text) if text else [_DEFAULT_TIME]
    if len(clocks) != 1:
        raise UsageError(f"{text!r} is more than one time; this runs once.", hint=EXAMPLES)
    return clocks[0]


def _recurring(text: str) -> Schedule | None:
    if text == "hourly":
        return Schedule(kind="cron", expr="0 * * * *", display="hourly")
    days, _, times = text.partition(" at ")
    clocks = clock_times(times) if times else None
    part = re.fullmatch(r"(.*?)\s*\b(morning|evening|night)s?", days)
    if part:
        days = part[1].removesuffix(" in the") or "every day"
        days = "every day" if days == "every" else days
        clocks = clocks or [_PARTS_OF_DAY[part[2]]]
    fields = _day_fields(days.strip())
    if fields is None:
        return None
    clocks = clocks or [_DEFAULT_TIME]
    minutes = {clock.minute for clock in clocks}
    if len(minutes) > 1:
        raise UsageError(
            f"{times!r}: the times of one job share their minute.",
            hint="Make a job for each, or write 9:30 and 18:30.",
        )
    hours = ",".join(str(hour) for hour in sorted({clock.hour for clock in clocks}))
    shown = " and ".join(str(clock) for clock in sorted(set(clocks)))
    expr = f"{minutes.pop()} {hours} {fields[0]}"
    check_expression(expr)
    return Schedule(kind="cron", expr=expr, display=f"{fields[1]} at {shown}")


def _day_fields(text: str) -> tuple[str, str] | None:
    """Day of month, month and weekday as cron has them, and in words."""
    plain = {"daily": "every day", "weekly": "every monday", "monthly": "first of the month"}
    text = plain.get(text, text)
    return _of_the_month(text) or _of_the_year(text) or _of_the_week(text)


def _of_the_week(text: str) -> tuple[str, str] | None:
    match = re.fullmatch(r"(?:(?:on|every|each)\s+)*(.+)", text)
    if match is None:
        return None
    names = [re.sub(r"^(?:on |every )", "", n) for n in re.split(r"\s*(?:,| and |&)\s*", match[1])]
    names = [name for name in names if name]
    fields: list[str] = []
    shown: list[str] = []
    for name in names:
        span = re.fullmatch(r"(\w+)\s*(?:-|to|through)\s*(\w+)", name)
        if span:
            first, last = _day(span[1]), _day(span[2])
            if first is None or last is None:
                return None
            length = (last - first) % 7
            fields += [str((first + step) % 7) for step in range(length + 1)]
            shown.append(f"{_DAYS[first]} to {_DAYS[last]}")
            continue
        bare = name.removesuffix("s") if name not in _SETS else name
        number = _day(name)
        if number is not None:
            fields.append(str(number))
            shown.append(_DAYS[number])
        elif bare in _SETS:
            fields.append(_SETS[bare])
            shown.append(bare)
        else:
            return None
    if not fields:
        return None
    weekday = "*" if "*" in fields else ",".join(dict.fromkeys(",".join(fields).split(",")))
    return f"* * {weekday}", f"every {' and '.join(shown)}"


def _day(name: str) -> int | None:
    """0 is Sunday; three letters and more are enough."""
    bare = name.removesuffix("s") if len(name) > 4 else name
    if len(bare) < 3:
        return None
    return next((number for number, day in enumerate(_DAYS) if day.startswith(bare)), None)


def _of_the_month(text: str) -> tuple[str, str] | None:
    match = re.fullmatch(
        r"(?:on )?(?:the |every |each )*"
        r"(first|second|third|fourth|last|\d{1,2}(?:st|nd|rd|th)?)(?: (?!of|in|every|each)(\w+))?"
        r" (?:of|in|every|each)(?: (?:the|every|each))? month",
        text,
    )
    if match is None:
        return None
    which, what = match[1], match[2] or "day"
    number = _ORDER.get(which, -1) if which in _ORDER else int(re.sub(r"\D", "", which))
    if what == "day":
        if number > 31 or (number == 0 and which != "last"):
            return None
        day = str(number) if number else "L"
        shown = f"the {number}." if number else "the last day"
        return f"{day} * *", f"{shown} of the month"
    if what in ("weekday", "workday"):
        return ("LW * *", "the last weekday of the month") if which == "last" else None
    weekday = _day(what)
    if weekday is None or which not in _ORDER:
        return None
    field = f"{weekday}#{number}" if number else f"{weekday}L"
    return f"* * {field}", f"the {which} {_DAYS[weekday]} of the month"


def _of_the_year(text: str) -> tuple[str, str] | None:
    """`every 24 december`, `every december 24`, `on the 1st of january`."""
    match = re.fullmatch(
        r"(?:on |every |each )?(?:the )?(?:(\d{1,2})(?:st|nd|rd|th|\.)?(?: of)? ([a-z]{3,})"
        r"|([a-z]{3,}) (\d{1,2})(?:st|nd|rd|th)?)",
        text,
    )
    if match is None:
        return None
    name = match[2] or match[3]
    month = next((n for n, month in enumerate(_MONTHS, 1) if month.startswith(name)), None)
    if month is None:
        return None
    day = int(match[1] or match[4])
    return f"{day} {month} *", f"every {day} {_MONTHS[month - 1].capitalize()}"
