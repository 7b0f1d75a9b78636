"""The lazy command group: a command's module is imported when it is used, not before."""

import importlib
import shlex
from typing import cast

import click

from hermes_agent.cli.table import COMMANDS
from hermes_agent.domain.errors import UsageError


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
        if not args or args[0] not in COMMANDS or _is_plea(args):
            _refuse_mistyped(args)
            return "chat", self.get_command(ctx, "chat"), args
        return super().resolve_command(ctx, args)


def _is_plea(args: list[str]) -> bool:
    """`help me move a file` is a question, `help config set` is not."""
    return args[0] == "help" and len(args) > 2 and args[1] not in COMMANDS


def _refuse_mistyped(args: list[str]) -> None:
    """A lone word that is nearly a command's name must not become a paid question."""
    if len(args) != 1 or args[0].startswith("-"):
        return
    from difflib import get_close_matches

    near = get_close_matches(args[0].lower(), COMMANDS, n=1, cutoff=0.7)
    if near:
        raise UsageError(
            f"There is no command “{args[0]}”. Did you mean {near[0]}?",
            hint=f"To ask the agent: hermes -q {shlex.quote(args[0])}",
        )
