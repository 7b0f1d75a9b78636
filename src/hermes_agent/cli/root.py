"""The root command."""

import click

from hermes_agent.cli.group import LazyGroup
from hermes_agent.version import VERSION, VERSION_LINE


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    no_args_is_help=False,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    },
    epilog="Without a command: hermes chat. Its options may follow directly: hermes -q 'hello'.",
)
@click.version_option(
    VERSION, "-V", "--version", message=VERSION_LINE, help="Print the version and leave."
)
@click.pass_context
def root(ctx: click.Context) -> int | None:
    """Hermes Agent: a personal AI agent on a machine that you control."""
    if ctx.invoked_subcommand is None:
        chat = LazyGroup.load("chat")
        with chat.make_context("chat", [], parent=ctx) as chatting:
            return chat.invoke(chatting)
    return None
