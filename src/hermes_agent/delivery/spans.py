"""Runs of text with marks, printed so that what is opened is closed in order."""

from collections.abc import Iterable
from typing import Protocol

from hermes_agent.delivery.document import Link, Mark, Run


class Spans(Protocol):
    """How a dialect writes marks. `joint` stands between a mark that closes and one that opens
    with nothing in between, where they could be taken for one."""

    joint: str

    def marks(self, marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
        """Those of the marks that the dialect can show together."""
        ...

    def open(self, mark: Mark) -> str:
        """What begins the mark."""
        ...

    def close(self, mark: Mark) -> str:
        """What ends it."""
        ...

    def text(self, text: str, marks: tuple[Mark, ...]) -> str:
        """Text between marks, escaped."""
        ...


def spans(runs: Iterable[Run], style: Spans) -> str:
    """The runs in the dialect. White space at the edges of a mark moves out of it: several
    dialects take a mark with a space inside for plain text."""
    written: list[str] = []
    opened: list[Mark] = []
    space = ""
    for run in runs:
        marks = style.marks(run.marks)
        core = run.text if "code" in marks else run.text.strip()
        if not core.strip():
            space += run.text
            continue
        before = run.text[: run.text.index(core)]
        kept = 0
        while kept < min(len(opened), len(marks)) and opened[kept] == marks[kept]:
            kept += 1
        closes = len(opened) > kept
        while len(opened) > kept:
            written.append(style.close(opened.pop()))
        space += before
        if written or space.strip(" "):
            written.append(space)
        if closes and not space and len(marks) > kept:
            written.append(style.joint)
        for mark in marks[kept:]:
            written.append(style.open(mark))
            opened.append(mark)
        written.append(style.text(core, marks))
        space = run.text[len(before) + len(core) :]
    written += (style.close(mark) for mark in reversed(opened))
    return "".join(written)


class Spelled:
    """No markup at all: a link is its text and its address."""

    joint = ""

    def marks(self, marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
        """Only links say something in plain text."""
        return tuple(mark for mark in marks if isinstance(mark, Link))

    def open(self, mark: Mark) -> str:
        """Nothing."""
        return ""

    def close(self, mark: Mark) -> str:
        """The address of a link whose text is another."""
        if isinstance(mark, Link) and not mark.bare:
            return f" ({mark.href.removeprefix('mailto:')})"
        return ""

    def text(self, text: str, marks: tuple[Mark, ...]) -> str:
        """The text as it is."""
        return text


def spelled(runs: Iterable[Run]) -> str:
    """The runs as plain text."""
    return spans(runs, Spelled())
