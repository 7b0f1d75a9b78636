"""The progress of a long fetch."""

import sys
import time
from typing import Protocol, Self

import click

BAR = 30
PLAIN_STEP = 10
"""Percent between two lines where stderr is no terminal."""


class Progress(Protocol):
    """How far it is, in bytes; `note` is set when there is news."""

    @property
    def done(self) -> int: ...

    @property
    def total(self) -> int: ...

    @property
    def note(self) -> str: ...


class ProgressBar:
    """A bar on a terminal, a line every ten percent elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._began = time.monotonic()
        self._first: int | None = None
        self._shown = -1
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        if progress.note:
            self.end()
            click.echo(progress.note, err=True)
        if not progress.total:
            return
        if self._first is None:
            self._first = progress.done
        percent = 100 * progress.done // progress.total
        step = percent if self._terminal else percent - percent % PLAIN_STEP
        if step == self._shown:
            return
        self._shown = step
        done, total = progress.done / 1e6, progress.total / 1e6
        if not self._terminal:
            click.echo(f"  {step:>3} %  {done:.0f} of {total:.0f} MB", err=True)
            return
        full = BAR * progress.done // progress.total
        speed = (progress.done - self._first) / max(time.monotonic() - self._began, 0.001) / 1e6
        bar = "█" * full + "░" * (BAR - full)
        click.echo(
            f"\r  {bar} {percent:>3} %  {done:.0f}/{total:.0f} MB  {speed:.1f} MB/s ",
            err=True,
            nl=False,
        )
        self._open = True

    def end(self) -> None:
        """Leave the bar's line."""
        if self._open:
            click.echo("", err=True)
            self._open = False
