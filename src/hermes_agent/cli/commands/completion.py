"""`hermes completion`: the completion script for a shell."""

import click

HINTS = {
    "bash": 'eval "$(hermes completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(hermes completion zsh)"    # in ~/.zshrc',
    "fish": "hermes completion fish | source    # in ~/.config/fish/config.fish",
}


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\n" + "\n".join(HINTS.values()),
)
@click.argument("shell", type=click.Choice(sorted(HINTS)))
def command(shell: str) -> None:
    """Print the completion script for SHELL."""
    from click.shell_completion import get_completion_class

    from hermes_agent.cli.root import root

    kind = get_completion_class(shell)
    assert kind is not None
    source = kind.source_template % kind(root, {}, "hermes", "_HERMES_COMPLETE").source_vars()
    click.echo(source)
