"""`hermes deploy check`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hermes_agent.deploy.faults import Checked
    from hermes_agent.domain.errors import ConfigError


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print faults and remarks as JSON.")
@click.pass_context
def command(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Say what is wrong with the specification in FILE (JSON or YAML).

    What has no effect, and what this machine lacks, is said too, and is no error: it may be meant
    for another machine. Exit status: 0, or 78 where nothing can be made of it.
    """
    from hermes_agent.domain.errors import ConfigError

    try:
        checked = _checked(file)
    except ConfigError as error:
        if not as_json:
            raise
        checked = _wrong(error)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(checked).decode())
        ctx.exit(0 if checked.valid else ConfigError.exit_code)
    for remark in checked.remarks:
        click.echo(f"hermes: {remark.text}", err=True)
    click.echo(f"{file} is a good specification for {checked.unit}.")


def _checked(file: Path) -> "Checked":
    from hermes_agent.deploy.applying import obstacles
    from hermes_agent.deploy.applying.plan import declared_settings
    from hermes_agent.deploy.faults import Checked
    from hermes_agent.deploy.reading import read
    from hermes_agent.deploy.setup.errors import SetupFailed

    spec = read(file)
    try:
        settings, _ = declared_settings(spec)
    except SetupFailed:
        settings = {}  # a configFile of another machine
    remarks = [*obstacles.remarks(settings), *obstacles.missing_here(spec)]
    return Checked(valid=True, unit=spec.unit, faults=[], remarks=remarks)


def _wrong(error: "ConfigError") -> "Checked":
    from hermes_agent.deploy.faults import Checked, Fault
    from hermes_agent.deploy.reading import WrongSpecification

    if isinstance(error, WrongSpecification):
        faults = list(error.faults) or [Fault(error.message, hint=error.hint)]
    else:
        faults = [Fault(error.message, "configFile", error.hint)]
    return Checked(valid=False, unit=None, faults=faults, remarks=[])
