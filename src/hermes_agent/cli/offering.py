"""Nothing is configured: offer what is at hand, on a terminal; say what to do elsewhere."""

import sys
from collections.abc import Sequence

import click

from hermes_agent.domain.errors import NoModelError
from hermes_agent.providers.discovery import LocalServer, local_target
from hermes_agent.providers.target import Target

HINT = (
    "hermes setup chooses a provider; hermes chat --local uses a small offline model that "
    "needs no key."
)


def offer(servers: Sequence[LocalServer]) -> Target | None:
    """A model of a server on this machine; None for the offline model. Raises `NoModelError`."""
    models = [(server, model) for server in servers for model in server.models]
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        found = ", ".join(f"{model.model} ({server.vendor.id})" for server, model in models[:8])
        if found:
            raise NoModelError(
                f"No model is configured. On this machine there are: {found}.",
                hint="Choose one with: hermes model set NAME --provider VENDOR",
            )
        raise NoModelError("No model is configured, and no key was found.", hint=HINT)
    click.echo("No model is configured yet.")
    for number, (server, model) in enumerate(models, 1):
        click.echo(f"  {number:>2}  {model.model}  ({server.vendor.label}, on this machine)")
    click.echo("   o  the basic offline model (fetched once, needs no key)")
    click.echo("   s  set a provider up: hermes setup")
    answer = click.prompt("Which", default="1" if models else "o").strip().lower()
    if answer == "o":
        return None
    if answer.isdigit() and 1 <= int(answer) <= len(models):
        return local_target(*models[int(answer) - 1])
    raise NoModelError("No model was chosen.", hint=HINT)
