"""Times of day as people write them."""

import re
from typing import NamedTuple

from hermes_agent.domain.errors import UsageError

_NAMED = {"noon": (12, 0), "midday": (12, 0), "midnight": (0, 0)}


class Clock(NamedTuple):
    """An hour from 0 to 23 and a minute."""

    hour: int
    minute: int

    def __str__(self) -> str:
        return f"{self.hour:02}:{self.minute:02}"


def clock_times(text: str) -> list[Clock]:
    """`9`, `9am and 6 pm`, `09:30, 18:30`, `noon`. Raises `UsageError`."""
    parts = [part for part in re.split(r"\s*(?:,|\band\b|&)\s*", text.strip().lower()) if part]
    if not parts:
        raise UsageError("A time is missing after `at`.", hint="Such as: at 9, at 18:30, at 7 pm")
    return [_clock(part) for part in parts]


def _clock(text: str) -> Clock:
    if text in _NAMED:
        return Clock(*_NAMED[text])
    match = re.fullmatch(r"(\d{1,2})(?:[:.h](\d\d))?\s*(a\.?m\.?|p\.?m\.?|o'?clock|h)?", text)
    if match:
        hour, minute, half = int(match[1]), int(match[2] or 0), match[3] or ""
        if half[:1] in ("a", "p"):
            hour = hour % 12 + (12 if half[0] == "p" else 0) if 1 <= hour <= 12 else 99
        if hour <= 23 and minute <= 59:
            return Clock(hour, minute)
    raise UsageError(f"{text!r} is no time of day.", hint="Such as: 9, 18:30, 7 pm, noon")
