"""Whatever a command prints, as bounded text: head and tail, decoded, without escapes."""

import codecs
import re
from collections.abc import Callable

_BYTES_PER_CHAR = 4

# ECMA-48: CSI, OSC/DCS/SOS/PM/APC strings up to BEL or ST, and the two-character escapes.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)"
    r"|\x1b[ -/]{0,4}[0-~]"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]{0,255}\x1b?|[ -/]*)\Z")
_OVERSTRUCK = re.compile(r"[^\n\x08]\x08")
_CONTROLS = dict.fromkeys([*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F], "\ufffd")
_CONTROLS[7] = ""


def clean(text: str) -> str:
    """Text as a terminal would have left it: escape sequences gone, of a line redrawn after a
    carriage return only the last state, control characters replaced."""
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    if "\r" in text:
        # not by a regular expression: it would look for the return from every character anew
        lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
        text = "\n".join(lines)
    if "\x08" in text:
        text = _OVERSTRUCK.sub("", text)
    return text.translate(_CONTROLS) if not text.isprintable() else text


class Excerpt:
    """The first 40 % and the last 60 % of what was fed, in `chars` characters.

    Memory stays below some ten bytes a character, however much is fed.
    """

    def __init__(self, chars: int) -> None:
        self._chars = chars
        self._head_chars = chars * 2 // 5
        self._room = self._head_chars * _BYTES_PER_CHAR
        self._tail_room = (chars - self._head_chars) * _BYTES_PER_CHAR
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def feed(self, data: bytes) -> None:
        """Some more output."""
        free = self._room - len(self._head)
        if free > 0:
            self._head += data[:free]
            data = data[free:]
        self._tail += data
        if len(self._tail) > 2 * self._tail_room:
            excess = len(self._tail) - self._tail_room
            self._dropped += excess
            del self._tail[:excess]

    def text(self) -> tuple[str, int]:
        """The text, with a line in its middle when something is missing, and how many bytes
        are missing."""
        if not self._dropped:
            whole = clean((self._head + self._tail).decode("utf-8", "replace"))
            if len(whole) <= self._chars:
                return whole, 0
            head = whole[: self._head_chars]
            tail = whole[len(whole) - (self._chars - self._head_chars) :]
            omitted = _size(whole) - _size(head) - _size(tail)
        else:
            head = clean(self._head.decode("utf-8", "replace"))
            tail = clean(self._tail.decode("utf-8", "replace"))
            uncut = _size(head) + _size(tail)
            head = head[: self._head_chars]
            tail = tail[-(self._chars - self._head_chars) :]
            omitted = self._dropped + uncut - _size(head) - _size(tail)
        note = f"\n[… {omitted:,} bytes of output omitted …]\n"
        return head + note + tail, omitted


class Rolling:
    """The last `room` bytes of what was fed."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept = bytearray()
        self.total = 0

    def feed(self, data: bytes) -> None:
        """Some more output."""
        self.total += len(data)
        self._kept += data
        if len(self._kept) > 2 * self._room:
            del self._kept[: -self._room]

    def text(self, last: int | None = None) -> str:
        """What is kept, cleaned; only its `last` bytes if given."""
        kept = self._kept[-min(self._room, last or self._room) :]
        return clean(kept.decode("utf-8", "replace"))

    def since(self, position: int) -> str:
        """What came after the first `position` bytes, as far as it is kept, cleaned."""
        fresh = self.total - position
        return self.text(fresh) if fresh > 0 else ""


class Live:
    """Tells a watcher what a command prints, at most `rate` times a second.

    What comes faster than `burst` characters between two tellings is cut at its beginning: a
    person cannot read it, and the watcher's memory stays small.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        later: Callable[[float, Callable[[], None]], object],
        *,
        rate: float = 20,
        burst: int = 16_384,
    ) -> None:
        self._tell = tell
        self._later = later
        self._pause = 1 / rate
        self._burst = burst
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._pending = ""
        self._skipped = 0
        self._waiting = False

    def feed(self, data: bytes) -> None:
        """Some more output."""
        self._pending += self._decode(data)
        if (excess := len(self._pending) - self._burst) > 0:
            self._skipped += excess
            self._pending = self._pending[excess:]
        if not self._waiting:
            self._waiting = True
            self._show()
            self._later(self._pause, self._next)

    def finish(self) -> None:
        """Tell the rest."""
        self._show(last=True)

    def _next(self) -> None:
        self._waiting = False
        if self._pending:
            self._waiting = True
            self._show()
            self._later(self._pause, self._next)

    def _show(self, *, last: bool = False) -> None:
        ready, self._pending = self._pending, ""
        if not last and (unfinished := _UNFINISHED.search(ready)):
            ready, self._pending = ready[: unfinished.start()], unfinished.group()
        ready = clean(ready)
        if self._skipped:
            ready = f"\n[… {self._skipped:,} characters not shown …]\n{ready}"
            self._skipped = 0
        if ready:
            self._tell(ready)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
