"""A log record as one line of text, written and read.

`2026-03-14T15:09:26.535+01:00 WARNING pump: the answer is late chat=42 "took s"=9.5`

What comes from outside cannot forge a line or reach a terminal: everything that is not printable
is shown as an escape (`\\n`, `\\x1b`, `\\u202e`), in a traceback too.
"""

import json
import re
from datetime import datetime
from typing import NamedTuple

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
MOST_CHARACTERS = 16_384

_LINE = re.compile(
    # The other form is that of Python's own formatter, which older files and the command line's
    # errors.log have: a comma before the milliseconds, local time.
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d{3}(?:Z|[+-]\d\d:\d\d)?) "
    r"(DEBUG|INFO|WARNING|ERROR|CRITICAL) ([^\s:]*): (.*)",
    re.DOTALL,
)
_SIMPLE = re.compile(r"[^\s\"=]+")


class Line(NamedTuple):
    """A line taken apart. `at` is Unix time in seconds; `text` has the fields at its end."""

    at: float
    level: str
    name: str
    text: str


def harmless(text: str) -> str:
    """The text with everything that is not printable escaped, cut to a sane length."""
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS]}… ({len(text) - MOST_CHARACTERS} more characters)"
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii")
        for sign in text
    )


def fields(values: dict[str, object]) -> str:
    """` key=value` for each; a value with blanks, quotes or nothing in it stands in quotes."""
    return "".join(f" {_word(key)}={_word(str(value))}" for key, value in values.items())


def timestamp(at: float) -> str:
    """Unix time in seconds as local time with its offset."""
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds")


def write(at: float, level: str, name: str, text: str) -> str:
    """The line, without its end."""
    return harmless(f"{timestamp(at)} {level} {name}: {text}")


def read(line: str) -> Line | None:
    """The line taken apart; None for one that is not the beginning of a record."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    try:
        at = datetime.fromisoformat(found[1].replace(",", ".")).timestamp()
    except (ValueError, OverflowError):
        return None
    return Line(at, found[2], found[3], found[4])


def _word(text: str) -> str:
    return text if _SIMPLE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
