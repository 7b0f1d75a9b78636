"""`hermes deploy check`."""

from pathlib import Path

import click


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Say what is wrong with the specification in FILE (JSON or YAML).

    What has no effect, and what this machine lacks, is said too, and is no error: it may be meant
    for another machine. Exit status: 0, or 78 where nothing can be made of it.
    """
    from hermes_agent.deploy.applying import obstacles
    from hermes_agent.deploy.applying.plan import declared_settings
    from hermes_agent.deploy.reading import read
    from hermes_agent.deploy.setup.errors import SetupFailed

    spec = read(file)
    try:
        settings, _ = declared_settings(spec)
    except SetupFailed:
        settings = {}  # a configFile of another machine
    for text in (*obstacles.remarks(settings), *obstacles.missing_here(spec)):
        click.echo(f"hermes: {text}", err=True)
    click.echo(f"{file} is a good specification for {spec.unit}.")
