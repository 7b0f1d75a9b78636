"""The lazy command group: a command's module is imported when it is used, not before."""

import importlib
from typing import cast

import click

from hermes_agent.cli.table import COMMANDS


class LazyGroup(click.Group):
    """`hermes`: without a known command the arguments belong to `chat`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self.load(cmd_name) if cmd_name in COMMANDS else None

    @staticmethod
    def load(name: str) -> click.Command:
        """Import the command called `name`."""
        module = importlib.import_module(f"hermes_agent.cli.commands.{COMMANDS[name].module}")
        return cast("click.Command", module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in sorted(COMMANDS)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not args or args[0] not in COMMANDS:
            return "chat", self.get_command(ctx, "chat"), args
        return super().resolve_command(ctx, args)
