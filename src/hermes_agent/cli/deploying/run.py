"""`hermes deploy run`."""

from pathlib import Path

import click


@click.command("run")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def command(ctx: click.Context, file: Path) -> None:
    """Run the agent's container that the specification in FILE describes.

    The service runs this in container mode, as root, after `hermes deploy prepare`.
    """
    from hermes_agent.deploy.container.runner import run
    from hermes_agent.deploy.places import Places
    from hermes_agent.deploy.reading import read
    from hermes_agent.deploy.setup.fault import raise_handed_on
    from hermes_agent.domain.errors import ConfigError

    spec = read(file)
    if not spec.container.enable:
        raise ConfigError(
            f"{file}: container.enable is false; this agent runs without a container",
            hint="Its service runs: hermes gateway run",
        )
    places = Places.of(spec)
    raise_handed_on(places)
    ctx.exit(run(spec, places))
