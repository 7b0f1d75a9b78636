"""`hermes deploy unit`."""

from pathlib import Path

import click


@click.command("unit")
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Print the unit file for the specification in FILE."""
    from hermes_agent.deploy.applying.plan import declared_settings
    from hermes_agent.deploy.applying.unit import render
    from hermes_agent.deploy.places import Places
    from hermes_agent.deploy.reading import read

    spec = read(file)
    settings, _ = declared_settings(spec)
    click.echo(render(spec, Places.of(spec), settings), nl=False)
