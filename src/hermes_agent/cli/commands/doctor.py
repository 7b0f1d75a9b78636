"""`hermes doctor`: find out what is wrong, and mend it."""

from collections.abc import Iterator

import click

from hermes_agent.cli.checks import Finding, Level
from hermes_agent.cli.terminal.style import Colour, coloured, paint
from hermes_agent.domain.errors import ConfigError, HermesError

_MARKS: dict[Level, tuple[str, Colour]] = {
    "ok": ("✓", "green"),
    "note": ("·", "yellow"),
    "problem": ("✗", "red"),
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--fix", is_flag=True, help="Mend what can be mended.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--offline", is_flag=True, help="Do not ask the model server.")
def command(fix: bool, as_json: bool, offline: bool) -> int:
    """Find out what is wrong, and mend it with --fix.

    Exit status: 0 all well, 1 a problem is left.
    """
    findings = list(_findings(offline=offline))
    if as_json:
        import json

        rows = [
            {"area": f.area, "level": f.level, "text": f.text, "hint": f.hint} for f in findings
        ]
        click.echo(json.dumps(rows, indent=2))
        return int(any(f.level == "problem" for f in findings))
    left = 0
    area = ""
    for finding in findings:
        if finding.area != area:
            area = finding.area
            click.echo(area.capitalize())
        left += _report(finding, fix=fix)
    click.echo("" if left == 0 else f"\n{left} problem(s) left.", nl=left > 0)
    return int(left > 0)


def _report(finding: Finding, *, fix: bool) -> int:
    mark, hue = _MARKS[finding.level]
    click.echo(f"  {paint(mark, hue, on=coloured())} {finding.text}")
    if finding.hint:
        click.echo(f"    {finding.hint}")
    problem = int(finding.level == "problem")
    if fix and finding.mend is not None:
        try:
            click.echo(f"    mended: {finding.mend()}")
        except HermesError as error:
            click.echo(f"    could not be mended: {error.message}")
            return problem
        return 0
    return problem


def _findings(*, offline: bool) -> Iterator[Finding]:
    from hermes_agent.cli.checks.configuration import configuration
    from hermes_agent.cli.checks.home import home
    from hermes_agent.cli.checks.machine import machine
    from hermes_agent.cli.checks.model import model
    from hermes_agent.config.load import load

    try:
        loaded = load()
    except ConfigError as error:
        yield Finding(
            area="configuration", level="problem", text=error.message, hint=error.hint or ""
        )
        return
    yield from configuration(loaded)
    yield from home(loaded)
    yield from machine(loaded)
    yield from model(loaded, offline=offline)
