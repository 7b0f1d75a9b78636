"""`hermes deploy`: what a person and a service manager need to put the agent onto a machine."""

import importlib
from typing import cast

import click

PARTS = {
    "apply": "Install what a specification describes, and start it.",
    "check": "Say what is wrong with a specification.",
    "remove": "Take a deployment off this machine.",
    "schema": "Print the JSON schema of a specification.",
    "status": "Say how the deployments of this machine are.",
    "unit": "Print the unit file for a specification.",
}
"""Module below `hermes_agent.cli.deploying`, each with a click command `command`; what it says of
itself."""

SERVICE_PARTS = {
    "prepare": "Set up what a specification describes, before each start.",
    "run": "Run the container that a specification describes.",
}
"""The same, for those that units call."""

_PARTS = {**PARTS, **SERVICE_PARTS, "enter": ""}


class _Parts(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _PARTS:
            return None
        module = importlib.import_module(f"hermes_agent.cli.deploying.{cmd_name}")
        part = cast("click.Command", module.command)
        part.short_help = _PARTS[cmd_name] or None
        return part

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, parts in (("Commands", PARTS), ("Used by the service itself", SERVICE_PARTS)):
            with formatter.section(title):
                formatter.write_dl(sorted(parts.items()))


@click.command(cls=_Parts, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Put the agent onto this machine as one specification says."""
