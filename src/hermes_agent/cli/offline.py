"""The offline model for a chat: fetched with consent, with a progress bar, then opened."""

import sys

import click

from hermes_agent.cli.terminal.progress import ProgressBar
from hermes_agent.config.load import Loaded
from hermes_agent.domain.errors import NoModelError
from hermes_agent.providers.embedded.catalog import Weights
from hermes_agent.providers.embedded.model import EmbeddedModel
from hermes_agent.providers.embedded.offline import available, equip, install, open_model


async def open_offline_model(loaded: Loaded, *, consent: bool, cwd: str) -> EmbeddedModel:
    """The model, fetched first if need be. `consent` was given by asking for it by name.

    Raises `NoModelError` where nobody agrees to the download.
    """
    installed = available(loaded.environ)
    with ProgressBar() as bar:
        if installed is None:
            installed = await install(
                progress=bar.show, consent=None if consent else _ask, environ=loaded.environ
            )
        await equip(installed, progress=bar.show)
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
