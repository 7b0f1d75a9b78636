"""HTML as tags and words, in time linear in its length whatever it holds.

The standard library's parser needs minutes for some kilobytes of unfinished tags, and mail comes
from anyone. This one knows no errors: https://html.spec.whatwg.org/multipage/parsing.html is
followed as far as the words of a mail need it.
"""

import html
import re
from collections.abc import Iterator

import msgspec

MAX_TAG = 4000

_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9:-]{0,30})")
_STOP = re.compile(r"[>\"']")
_SILENT = frozenset("script style template title noscript textarea".split())


class Words(msgspec.Struct, frozen=True):
    """Text, with its entities resolved."""

    text: str


class Tag(msgspec.Struct, frozen=True):
    """`name` is in small letters, `source` the whole tag."""

    name: str
    closing: bool
    source: str

    def value(self, attribute: str) -> str:
        """What the attribute says; empty when it is not there."""
        pattern = rf"[\s/\"']{attribute}\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))"
        found = re.search(pattern, self.source[:MAX_TAG], re.I)
        return _resolved(next(filter(None, found.groups()), "")) if found else ""


def tokens(source: str) -> Iterator[Words | Tag]:
    """All tags and words; comments, scripts and styles are left out, and so is everything behind
    a tag or a comment without an end."""
    here = 0
    lost: set[str] = set()
    while here < len(source):
        begin = source.find("<", here)
        if begin < 0:
            yield Words(_resolved(source[here:]))
            return
        if begin > here:
            yield Words(_resolved(source[here:begin]))
        if source.startswith("<!--", begin):
            end = source.find("-->", begin + 4)
            if end < 0:
                return
            here = end + 3
            continue
        named = _NAME.match(source, begin)
        if named is None and source[begin + 1 : begin + 2] not in ("!", "?", "/"):
            yield Words("<")
            here = begin + 1
            continue
        end = _end(source, begin, lost)
        if end < 0:
            return
        here = end + 1
        if named is not None:
            name = named[1].lower()
            closing = source[begin + 1] == "/"
            if name in _SILENT and not closing:
                closer = re.compile(rf"</{name}", re.I).search(source, here)
                if closer is None:
                    return
                here = closer.start()
            else:
                yield Tag(name, closing, source[begin : end + 1])


def _end(source: str, begin: int, lost: set[str]) -> int:
    """Where the tag ends, or -1. `lost` are the quotes that no other follows any more: looking for
    them again and again would take for ever."""
    here = begin + 1
    while (found := _STOP.search(source, here)) is not None:
        mark = found[0]
        if mark == ">":
            return found.start()
        here = found.end()
        if mark not in lost:
            other = source.find(mark, here)
            if other < 0:
                lost.add(mark)
            else:
                here = other + 1
    return -1


def _resolved(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:
        # A number of more digits than Python reads.
        return text
