"""`hermes deploy prepare`."""

from pathlib import Path

import click


@click.command("prepare")
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Set up what the specification in FILE describes.

    The service runs this before each start, as root.
    """
    from hermes_agent.deploy.setup.fault import hand_on
    from hermes_agent.domain.errors import ConfigError

    try:
        _prepare(file)
    except ConfigError as error:
        if not hand_on(file, error):
            raise
        click.echo(f"hermes: {error.message}", err=True)


def _prepare(file: Path) -> None:
    from hermes_agent.deploy.places import Places
    from hermes_agent.deploy.reading import read

    spec = read(file)
    if spec.container.enable:
        from hermes_agent.deploy.container.handing import hand_over as prepare
    else:
        from hermes_agent.deploy.setup.prepare import prepare
    done = prepare(spec, Places.of(spec))
    for warning in done.warnings:
        click.echo(f"hermes: {warning}", err=True)
    how = "applied" if done.changed else "unchanged"
    click.echo(f"{spec.name}: generation {done.generation[:12]} {how}")
