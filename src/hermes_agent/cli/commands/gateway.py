"""`hermes gateway`: the always-on service. This version has none yet and says so.

What a managed home forbids is refused here already, so that scripts can rely on it.
"""

import click

from hermes_agent.domain.errors import HermesError

ABSENT = "This version has no gateway yet: the agent answers in the terminal only."


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def command(ctx: click.Context) -> None:
    """The always-on service (not part of this version)."""
    if ctx.invoked_subcommand is None:
        raise HermesError(ABSENT, hint="Talk to it with: hermes chat")


def _refuse(doing: str) -> None:
    from hermes_agent.config.managed import require_unmanaged
    from hermes_agent.config.paths import Paths

    require_unmanaged(Paths.of(), doing=doing)
    raise HermesError(ABSENT, hint="Talk to it with: hermes chat")


@command.command()
def install() -> None:
    """Install the service."""
    _refuse("install the gateway service")


@command.command()
def uninstall() -> None:
    """Remove the service."""
    _refuse("uninstall the gateway service")


@command.command()
def setup() -> None:
    """Set chat apps up."""
    _refuse("set up the gateway")
