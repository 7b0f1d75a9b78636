"""A command that asks questions, on a terminal of its own."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

from tests.acceptance.hermes import LIMIT, Hermes


class Dialogue:
    """What was asked, and what is answered."""

    def __init__(self, hermes: Hermes, *arguments: str) -> None:
        self._mine, other = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hermes_agent", *arguments],
            cwd=hermes.folder,
            env=hermes.environ | {"TERM": "dumb"},
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)
        self.seen = ""

    def until(self, text: str) -> None:
        """Read until the text shows up after what was answered last."""
        start = len(self.seen)
        deadline = time.monotonic() + LIMIT
        while text not in self.seen[start:]:
            ready, _, _ = select.select([self._mine], [], [], deadline - time.monotonic())
            assert ready, f"“{text}” never came: {self.seen}"
            try:
                self.seen += os.read(self._mine, 4096).decode()
            except OSError:
                raise AssertionError(f"it left without “{text}”: {self.seen}") from None

    def answer(self, question: str, line: str) -> None:
        """Wait for a question, then type a line."""
        self.until(question)
        os.write(self._mine, line.encode() + b"\n")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._mine)


@contextmanager
def dialogue(hermes: Hermes, *arguments: str) -> Generator[Dialogue]:
    """The command for the length of a `with` block."""
    talk = Dialogue(hermes, *arguments)
    try:
        yield talk
    finally:
        talk.close()
