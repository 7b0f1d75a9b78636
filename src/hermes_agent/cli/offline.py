"""The offline model for a chat: fetched with consent, with a progress bar, then opened."""

import sys
import time

import click

from hermes_agent.config.load import Loaded
from hermes_agent.domain.errors import NoModelError
from hermes_agent.providers.embedded.catalog import Weights
from hermes_agent.providers.embedded.model import EmbeddedModel
from hermes_agent.providers.embedded.offline import available, install, open_model
from hermes_agent.providers.embedded.weights import Progress

BAR = 30
PLAIN_STEP = 10
"""Percent between two lines where stderr is no terminal."""


async def open_offline_model(loaded: Loaded, *, consent: bool, cwd: str) -> EmbeddedModel:
    """The model, fetched first if need be. `consent` was given by asking for it by name.

    Raises `NoModelError` where nobody agrees to the download.
    """
    installed = available(loaded.environ)
    if installed is None:
        bar = ProgressBar()
        installed = await install(
            progress=bar.show, consent=None if consent else _ask, environ=loaded.environ
        )
        bar.end()
    return open_model(installed, cwd=cwd, say=_say)


async def _ask(weights: Weights) -> bool:
    size = f"{weights.bytes / 1e9:.1f} GB"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise NoModelError(
            f"The offline model is not on this machine yet ({size}).",
            hint="Agree to fetching it with: hermes chat --local, or hermes model install local",
        )
    return click.confirm(f"Fetch the offline model {weights.name} ({size}) now?", err=True)


def _say(text: str) -> None:
    click.echo(text, err=True)


class ProgressBar:
    """A bar on a terminal, a line every ten percent elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._began = time.monotonic()
        self._first: int | None = None
        self._shown = -1
        self._open = False

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        if progress.note:
            self.end()
            _say(progress.note)
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
            _say(f"  {step:>3} %  {done:.0f} of {total:.0f} MB")
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
