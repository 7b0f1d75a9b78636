"""Where in a text the model means: a ladder of matchers, from exact to forgiving.

The first matcher that finds anything decides, and what it finds must be the only place unless
all are wanted. A forgiving match brings the replacement to the indentation of the place.
"""

from collections.abc import Callable, Iterator

import msgspec

from hermes_agent.tools.patching.lines import Indents, plain_typography, squeezed
from hermes_agent.tools.patching.v4a import PatchFault

_SIMILAR = 0.85
_NAMED_PLACES = 5
_MOST_CANDIDATES = 200
_MOST_LINES = 20_000


class Place(msgspec.Struct, frozen=True):
    """`text[start:end]` gives way to `new`."""

    start: int
    end: int
    new: str


class Replaced(msgspec.Struct, frozen=True):
    """The text afterwards, by which matcher (`exact` or what was forgiven), and how often."""

    text: str
    matcher: str
    count: int


Matcher = Callable[[str, str, str], list[Place]]


def replace(text: str, old: str, new: str, *, every: bool = False) -> Replaced:
    """Replace the one place that reads `old` (all of them with `every`). Raises `PatchFault`."""
    if not old.strip("\n"):
        raise PatchFault(
            "old_string is empty.",
            hint="Give the text to be replaced, or use write_file for a whole file.",
        )
    if old == new:
        raise PatchFault("old_string and new_string are the same; there is nothing to do.")
    for name, matcher in LADDER.items():
        places = matcher(text, old, new)
        if len(places) > 1 and (not every or name == "similar middle"):
            raise _ambiguous(text, places)
        if places:
            return Replaced(_put(text, places), name, len(places))
    raise _missing(text, old)


def _put(text: str, places: list[Place]) -> str:
    pieces: list[str] = []
    at = 0
    for place in places:
        pieces += (text[at : place.start], place.new)
        at = place.end
    return "".join([*pieces, text[at:]])


def _exact(text: str, old: str, new: str) -> list[Place]:
    places: list[Place] = []
    at = text.find(old)
    while at >= 0:
        places.append(Place(at, at + len(old), new))
        at = text.find(old, at + len(old))
    return places


def _unescaped(text: str, old: str, new: str) -> list[Place]:
    """The model escaped its text once too often."""
    plain = _unescape(old)
    return [] if plain == old else _exact(text, plain, _unescape(new))


def _unescape(text: str) -> str:
    for written, meant in (("\\n", "\n"), ("\\t", "\t"), ('\\"', '"'), ("\\'", "'")):
        text = text.replace(written, meant)
    return text


def _by_line(key: Callable[[str], str], *, reindent: bool) -> Matcher:
    """Matches whole lines that are the same after `key`."""

    def match(text: str, old: str, new: str) -> list[Place]:
        lines, wanted = _lines(text), _lines(old)
        keys, wanted_keys = [key(line) for line in lines], [key(line) for line in wanted]
        if not any(wanted_keys):
            return []
        starts = list(_windows(keys, wanted_keys))
        return _places(text, lines, old, new, starts, len(wanted), reindent=reindent)

    return match


def _shifted(text: str, old: str, new: str) -> list[Place]:
    """The same lines, all further in or out by the same amount."""
    lines, wanted = _lines(text), _lines(old)
    keys, wanted_keys = [line.strip() for line in lines], [line.strip() for line in wanted]
    if not any(wanted_keys):
        return []
    starts = [
        start
        for start in _windows(keys, wanted_keys)
        if Indents.between(wanted, lines[start : start + len(wanted)]).uniform
    ]
    return _places(text, lines, old, new, starts, len(wanted), reindent=True)


def _anchored(text: str, old: str, new: str) -> list[Place]:
    """First and last line are right, and what lies between is nearly so."""
    import difflib

    lines, wanted = _lines(text), [line.strip() for line in _lines(old)]
    if len(wanted) < 3 or not wanted[0] or not wanted[-1]:
        return []
    keys = [line.strip() for line in lines]
    middle = "\n".join(wanted[1:-1])
    inner = len(wanted) - 1
    candidates = [
        start
        for start in range(len(keys) - inner)
        if keys[start] == wanted[0] and keys[start + inner] == wanted[-1]
    ]
    if len(candidates) > _MOST_CANDIDATES:  # comparing is slow, and so common ends say nothing
        return []
    starts: list[int] = []
    for start in candidates:
        there = "\n".join(keys[start + 1 : start + inner])
        matcher = difflib.SequenceMatcher(None, there, middle)
        if matcher.quick_ratio() >= _SIMILAR and matcher.ratio() >= _SIMILAR:
            starts.append(start)
    return _places(text, lines, old, new, starts, len(wanted), reindent=True)


def _lines(text: str) -> list[str]:
    """The lines with their ends; only "\\n" ends one."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def _windows(keys: list[str], wanted: list[str]) -> Iterator[int]:
    """Where `wanted` begins in `keys`; places do not overlap."""
    at = 0
    while at <= len(keys) - len(wanted):
        if keys[at] == wanted[0] and keys[at : at + len(wanted)] == wanted:
            yield at
            at += len(wanted)
        else:
            at += 1


def _places(
    text: str,
    lines: list[str],
    old: str,
    new: str,
    starts: list[int],
    height: int,
    *,
    reindent: bool,
) -> list[Place]:
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    places: list[Place] = []
    for start in starts:
        begin, end = offsets[start], offsets[start + height]
        put = new
        if reindent:
            put = Indents.between(_lines(old), lines[start : start + height]).apply(new)
        if text[begin:end].endswith("\n") and not old.endswith("\n"):
            end -= 1
        elif old.endswith("\n") and not text[begin:end].endswith("\n"):
            put = put.removesuffix("\n")
        places.append(Place(begin, end, put))
    return places


LADDER: dict[str, Matcher] = {
    "exact": _exact,
    "trailing spaces": _by_line(str.rstrip, reindent=False),
    "shifted indentation": _shifted,
    "indentation": _by_line(str.strip, reindent=True),
    "white space": _by_line(squeezed, reindent=True),
    "escapes": _unescaped,
    "typography": _by_line(plain_typography, reindent=True),
    "similar middle": _anchored,
}


def _ambiguous(text: str, places: list[Place]) -> PatchFault:
    numbers = [str(text.count("\n", 0, place.start) + 1) for place in places[:_NAMED_PLACES]]
    more = ", …" if len(places) > _NAMED_PLACES else ""
    return PatchFault(
        f"old_string is found {len(places)} times (lines {', '.join(numbers)}{more}).",
        hint="Add lines around it until it is the only one, or set replace_all.",
    )


def _missing(text: str, old: str) -> PatchFault:
    import difflib

    longest = max(old.split("\n"), key=lambda line: len(line.strip())).strip()
    lines = [line.strip() for line in text.split("\n", _MOST_LINES)[:_MOST_LINES]]
    near = difflib.get_close_matches(longest[:200], {line[:200] for line in lines if line}, n=1)
    if not near:
        return PatchFault(
            "old_string is not in the file, nor anything like it.",
            hint="Read the file again and copy the lines as they are.",
        )
    number = next(i for i, line in enumerate(lines, 1) if line[:200] == near[0])
    return PatchFault(
        f"old_string is not in the file. The closest is line {number}: {near[0]}",
        hint="Read the file there and copy the lines as they are.",
    )
