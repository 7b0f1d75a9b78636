"""Reads log files that are turned over: the last lines of all of them, and what comes then."""

import os
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import NamedTuple

from hermes_agent.gateway.lines import LEVELS, Line, read

LOOK_SECONDS = 0.25
_BLOCK = 65_536
_MOST_FILES = 100


class Wish(NamedTuple):
    """Which records are wanted: of this level or above, not before `since` (Unix time), and
    matching `matches`. A record is its line and the lines after it that begin none."""

    level: str = "DEBUG"
    since: float = 0.0
    matches: Callable[[str], bool] | None = None

    def takes(self, record: "Record") -> bool:
        """Whether it is wanted."""
        if record.line is None:
            # What cannot be read as a record has neither level nor time: shown unless asked for.
            named = self.level != "DEBUG" or self.since > 0
            return not named and self._fits(record.text)
        if LEVELS.index(record.line.level) < LEVELS.index(self.level):
            return False
        return record.line.at >= self.since and self._fits(record.text)

    def _fits(self, text: str) -> bool:
        return self.matches is None or self.matches(text)


class Record(NamedTuple):
    """A record as it stands in the file; `line` is None where it is no record of ours."""

    text: str
    line: Line | None


def last(path: Path, count: int, wish: Wish, *, end: int | None = None) -> list[Record]:
    """The last `count` records that are wanted, oldest first, out of `path`, `path`.1, …

    Of `path` itself only the first `end` bytes count.
    """
    found: list[Record] = []
    following: list[str] = []
    for text in _backwards(path, end):
        if len(found) >= count:
            break
        line = read(text)
        if line is None:
            following.append(text)
            continue
        record = Record("\n".join((text, *reversed(following))), line)
        following.clear()
        if line.at < wish.since:
            break
        if wish.takes(record):
            found.append(record)
    for text in following:
        record = Record(text, None)
        if len(found) < count and wish.takes(record):
            found.append(record)
    found.reverse()
    return found


class Following:
    """What is written into a log from now on, over every turn of its file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._rest = b""
        self.begin = 0
        """Where in the file now begins, in bytes."""
        if self._open():
            self.begin = os.lseek(self._descriptor, 0, os.SEEK_END)

    def records(
        self, wish: Wish, *, pause: Callable[[float], None] = time.sleep
    ) -> Iterator[Record | None]:
        """The records that are wanted, for ever; None before each pause."""
        while True:
            new = False
            for text in self._lines():
                new = True
                record = Record(text, read(text))
                if wish.takes(record):
                    yield record
            if not new and not self._turned():
                yield None
                pause(LOOK_SECONDS)

    def close(self) -> None:
        """Let the file go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> bool:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._rest = descriptor, b""
        return True

    def _lines(self) -> Generator[str]:
        """What is new; a line that is not finished waits."""
        if self._descriptor < 0:
            return
        if os.fstat(self._descriptor).st_size < os.lseek(self._descriptor, 0, os.SEEK_CUR):
            os.lseek(self._descriptor, 0, os.SEEK_SET)  # emptied by a turn that keeps none
            self._rest = b""
        while data := os.read(self._descriptor, _BLOCK):
            *whole, self._rest = (self._rest + data).split(b"\n")
            for line in whole:
                yield line.decode("utf-8", "replace")

    def _turned(self) -> bool:
        """Go over to the new file of this name, if there is one; whether there was."""
        try:
            about = self._path.stat()
        except FileNotFoundError:
            return False
        if self._descriptor >= 0 and os.path.samestat(about, os.fstat(self._descriptor)):
            return False
        return self._open()


def _backwards(path: Path, end: int | None) -> Generator[str]:
    """The lines of the file and of those that it was before, last line first."""
    paths = [path, *(path.with_name(f"{path.name}.{n}") for n in range(1, _MOST_FILES))]
    for one in paths:
        try:
            file = one.open("rb")
        except FileNotFoundError:
            if one != path:
                return
            continue
        with file:
            at = file.seek(0, os.SEEK_END)
            if one == path and end is not None:
                at = min(at, end)
            rest = b""
            while at > 0:
                size = min(_BLOCK, at)
                at -= size
                file.seek(at)
                rest, *whole = (file.read(size) + rest).split(b"\n")
                for line in reversed(whole):
                    if line:
                        yield line.decode("utf-8", "replace")
            if rest:
                yield rest.decode("utf-8", "replace")
