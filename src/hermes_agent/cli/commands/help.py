"""`hermes help [COMMAND ...]`: the same as `hermes COMMAND ... --help`."""

import click

from hermes_agent.domain.errors import UsageError


def _commands(ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    group: click.Command | None = ctx.find_root().command
    for word in ctx.params.get("words") or ():
        group = group.get_command(ctx, word) if isinstance(group, click.Group) else None
    names = group.list_commands(ctx) if isinstance(group, click.Group) else []
    return [name for name in names if name.startswith(begun)]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("words", nargs=-1, metavar="[COMMAND]...", shell_complete=_commands)
@click.pass_context
def command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """What a command does, and its options."""
    shown = ctx.find_root()
    for word in words:
        group = shown.command
        found = group.get_command(shown, word) if isinstance(group, click.Group) else None
        if found is None:
            raise UsageError(
                f"{shown.command_path} has no command “{word}”.",
                hint=f"See: {shown.command_path} --help",
            )
        shown = click.Context(found, info_name=word, parent=shown, **found.context_settings)
    click.echo(shown.get_help())
