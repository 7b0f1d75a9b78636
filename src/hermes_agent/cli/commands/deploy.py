"""`hermes deploy`: what a person and a service manager need to put the agent onto a machine."""

import importlib
from typing import cast

import click

PARTS = {
    "apply": "Install what a specification describes, and start it.",
    "check": "Say what is wrong with a specification.",
    "enter": "",
    "prepare": "Set up what a specification describes.",
    "remove": "Take a deployment off this machine.",
    "run": "Run the container that a specification describes.",
    "schema": "Print the JSON schema of a specification.",
    "status": "Say how the deployments of this machine are.",
    "unit": "Print the unit file for a specification.",
}
"""Module below `hermes_agent.cli.deploying`, each with a click command `command`; what it says of
itself, nothing if it is not for people."""


class _Parts(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in PARTS:
            return None
        module = importlib.import_module(f"hermes_agent.cli.deploying.{cmd_name}")
        part = cast("click.Command", module.command)
        part.short_help = PARTS[cmd_name] or None
        return part

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, text in sorted(PARTS.items()) if text])


@click.command(cls=_Parts, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Put the agent onto this machine as one specification says."""
