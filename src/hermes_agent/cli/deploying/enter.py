"""`hermes deploy enter`: root's side of the host command."""

import click


@click.command(
    "enter",
    hidden=True,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    add_help_option=False,
)
@click.argument("name")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def command(name: str, words: tuple[str, ...]) -> None:
    """Run hermes as the user of the deployment NAME.

    [--env NAME=value]... -- [ARGUMENT]...
    """
    from hermes_agent.deploy.host.entering import main

    main(name, words)
