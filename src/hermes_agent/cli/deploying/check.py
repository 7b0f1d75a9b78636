"""`hermes deploy check`."""

from pathlib import Path

import click


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Say what is wrong with the specification in FILE (JSON or YAML)."""
    from hermes_agent.deploy.reading import read

    spec = read(file)
    click.echo(f"{file} is a good specification for {spec.unit}.")
