"""What a program shows and when, through a terminal or a pipe."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bench.stage import CannotMeasure, Stage

Through = Literal["terminal", "pipe"]
# Where is the cursor? (ECMA-48 DSR 6); a terminal answers, and line editors wait for it.
ASK_CURSOR, TELL_CURSOR = b"\x1b[6n", b"\x1b[1;1R"
ROWS, COLUMNS = 40, 120
LIMIT = 60.0


@dataclass
class Shown:
    """Everything a program has shown, with the time (`time.perf_counter`) of each piece.

    `began` is when the program was started.
    """

    began: float = 0.0
    data: bytearray = field(default_factory=bytearray)
    pieces: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])

    def add(self, piece: bytes) -> None:
        """Something came now."""
        now = time.perf_counter()
        self.data += piece
        self.pieces.append((now, len(self.data)))

    @property
    def tail(self) -> str:
        """The last of what was shown."""
        return self.data[-500:].decode("utf-8", "replace")

    def when(self, text: bytes, *, start: int = 0) -> tuple[float, int]:
        """The time when this text was there whole, and where it ends.

        Raises `CannotMeasure` when it never was.
        """
        found = self.data.find(text, start)
        if found < 0:
            raise CannotMeasure(f"{text!r} was never shown; the end was {self.tail!r}")
        end = found + len(text)
        return next(at for at, length in self.pieces if length >= end), end


def watch(
    stage: Stage,
    command: list[str],
    *,
    through: Through,
    until: Callable[[Shown], bool] | None = None,
) -> Shown:
    """Run and read until the end, or until `until`; then the program is killed.

    Raises `CannotMeasure` after a minute.
    """
    if through == "pipe":
        read_end, write_end = os.pipe()
        stdin: int = subprocess.DEVNULL
    else:
        read_end, write_end = pty.openpty()
        fcntl.ioctl(write_end, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        tty.setraw(write_end)  # the line discipline's own echo is not what the program shows
        stdin = write_end
    shown = Shown(began=time.perf_counter())
    child = subprocess.Popen(
        command,
        cwd=stage.folder,
        env=stage.environ,
        stdin=stdin,
        stdout=write_end,
        stderr=subprocess.DEVNULL if through == "pipe" else write_end,
        start_new_session=True,
    )
    os.close(write_end)
    try:
        _read(read_end, shown, until)
    finally:
        if until is not None:
            child.kill()
        child.wait(LIMIT)
        os.close(read_end)
    return shown


def _read(source: int, shown: Shown, until: Callable[[Shown], bool] | None) -> None:
    answered = 0
    while until is None or not until(shown):
        left = shown.began + LIMIT - time.perf_counter()
        if left <= 0 or not select.select([source], [], [], left)[0]:
            raise CannotMeasure(f"still waiting; shown so far: {shown.tail!r}")
        try:
            piece = os.read(source, 65536)
        except OSError:  # EIO: a terminal whose last program is gone
            return
        if not piece:
            return
        shown.add(piece)
        while answered < shown.data.count(ASK_CURSOR):
            os.write(source, TELL_CURSOR)
            answered += 1
