"""The V4A patch format: several files in one text.

    *** Begin Patch
    *** Update File: path          (then, if wanted: *** Move to: path)
    @@ a line above the place      (any number, each further in; or none)
     context
    -old
    +new
    *** Add File: path             (every line with +)
    *** Delete File: path
    *** End Patch

Source: the public description of OpenAI's apply_patch format.
"""

import msgspec

from hermes_agent.domain.errors import HermesError

_BEGIN, _END = "*** Begin Patch", "*** End Patch"
_UPDATE, _ADD, _DELETE = "*** Update File:", "*** Add File:", "*** Delete File:"
_MOVE, _EOF = "*** Move to:", "*** End of File"


class PatchFault(HermesError):
    """The patch cannot be applied; nothing was changed."""


class Hunk(msgspec.Struct, frozen=True):
    """One place in a file: `anchors` lead there; then `lines`, each with its mark.

    The mark is " " for context, "-" for a line that goes, "+" for one that comes. `at_end` says
    that the place is the end of the file.
    """

    anchors: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    at_end: bool = False

    @property
    def old(self) -> list[str]:
        """The lines that must be there."""
        return [text for mark, text in self.lines if mark != "+"]


class Update(msgspec.Struct, frozen=True):
    """Change a file, and move it when `move_to` is given."""

    path: str
    hunks: tuple[Hunk, ...]
    move_to: str | None = None


class Add(msgspec.Struct, frozen=True):
    """Make a file that is not there yet."""

    path: str
    content: str


class Delete(msgspec.Struct, frozen=True):
    """Delete a file."""

    path: str


Change = Update | Add | Delete


def paths_in(text: str) -> list[str]:
    """Every path that a patch names, however broken the rest of it is."""
    marks = (_UPDATE, _ADD, _DELETE, _MOVE)
    lines = [line for line in text.splitlines() if line.startswith(marks)]
    return [line.partition(":")[2].strip() for line in lines]


def parse(text: str) -> list[Change]:
    """The changes in their order. Raises `PatchFault` with the line that is wrong."""
    return _Reader(text.replace("\r\n", "\n").split("\n")).changes()


class _Reader:
    """Reads the lines of one patch from top to bottom."""

    def __init__(self, lines: list[str]) -> None:
        begin = next((i for i, line in enumerate(lines) if line.rstrip() == _BEGIN), None)
        # The frame may be missing: what lies between is clear enough without it.
        self._lines = lines
        self._at = 0 if begin is None else begin + 1

    def changes(self) -> list[Change]:
        found: list[Change] = []
        while (line := self._peek()) is not None:
            if not line.strip():
                self._at += 1
            elif line.startswith(_UPDATE):
                found.append(self._update(self._path(_UPDATE)))
            elif line.startswith(_ADD):
                found.append(self._add(self._path(_ADD)))
            elif line.startswith(_DELETE):
                found.append(Delete(self._path(_DELETE)))
            else:
                raise self._fault("expected *** Update File:, *** Add File: or *** Delete File:")
        if not found:
            raise PatchFault(
                "The patch holds no change.",
                hint=f"It reads: {_BEGIN}, then {_UPDATE} path and its hunks, then {_END}.",
            )
        return found

    def _peek(self) -> str | None:
        if self._at >= len(self._lines) or self._lines[self._at].rstrip() == _END:
            return None
        return self._lines[self._at]

    def _path(self, mark: str) -> str:
        path = self._lines[self._at][len(mark) :].strip()
        if not path:
            raise self._fault(f"{mark} names no file")
        self._at += 1
        return path

    def _body(self) -> str | None:
        """The next line that belongs to the current file."""
        line = self._peek()
        return None if line is None or line.startswith((_UPDATE, _ADD, _DELETE)) else line

    def _add(self, path: str) -> Add:
        lines: list[str] = []
        while (line := self._body()) is not None:
            if line.startswith("+"):
                lines.append(line[1:])
            elif line.strip() and not line.startswith(_EOF):
                raise self._fault("every line of an added file starts with +")
            self._at += 1
        return Add(path, "".join(f"{line}\n" for line in lines))

    def _update(self, path: str) -> Update:
        move_to = None
        if (line := self._peek()) is not None and line.startswith(_MOVE):
            move_to = self._path(_MOVE)
        hunks: list[Hunk] = []
        while self._body() is not None:
            hunk = self._hunk()
            if hunk.lines:
                hunks.append(hunk)
        if not hunks and move_to is None:
            raise self._fault(f"no hunk for {path}")
        return Update(path, tuple(hunks), move_to)

    def _hunk(self) -> Hunk:
        anchors: list[str] = []
        while (line := self._body()) is not None and line.startswith("@@"):
            if name := _anchor(line):
                anchors.append(name)
            self._at += 1
        lines: list[tuple[str, str]] = []
        while (line := self._body()) is not None and not line.startswith(("@@", _EOF)):
            if not line.startswith((" ", "+", "-")) and line:
                raise self._fault("a hunk's line starts with a space, + or -")
            lines.append((line[:1], line[1:]))
            self._at += 1
        at_end = line is not None and line.startswith(_EOF)
        if at_end:
            self._at += 1
        while lines and lines[-1] == ("", ""):  # it separates, it is no context
            lines.pop()
        return Hunk(tuple(anchors), tuple((mark or " ", text) for mark, text in lines), at_end)

    def _fault(self, what: str) -> PatchFault:
        number = min(self._at, len(self._lines) - 1)
        return PatchFault(
            f"Line {number + 1} of the patch: {what}; it is {self._lines[number][:80]!r}.",
            hint="Nothing was changed.",
        )


def _anchor(line: str) -> str:
    """The text after @@; the numbers of a unified diff say nothing here."""
    name = line[2:].strip()
    if name.startswith("-") and "@@" in name:
        name = name.split("@@", 1)[1]
    return name.strip().removesuffix("@@").strip()
