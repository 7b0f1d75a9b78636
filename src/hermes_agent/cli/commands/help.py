"""`hermes help [COMMAND ...]`: the same as `hermes COMMAND ... --help`."""

import click

from hermes_agent.domain.errors import UsageError


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
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
