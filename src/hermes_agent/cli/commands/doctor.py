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
@click.option("--offline", is_flag=True, help="Ask no model server and no MCP server.")
def command(fix: bool, as_json: bool, offline: bool) -> int:
    """Find out what is wrong, and mend it with --fix.

    Exit status: 0 all well, 1 a problem is left.
    """
    findings = list(_findings(offline=offline))
    if as_json:
        import json

        outcomes = [(f, *_mended(f, fix=fix)) for f in findings]
        rows = [
            {"area": f.area, "level": f.level, "text": f.text, "hint": f.hint, "mended": said}
            for f, _, said in outcomes
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return int(any(left for _, left, _ in outcomes))
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
    left, said = _mended(finding, fix=fix)
    if said:
        click.echo(f"    {'could not be mended' if left else 'mended'}: {said}")
    return left


def _mended(finding: Finding, *, fix: bool) -> tuple[int, str | None]:
    """Whether a problem is left (1 or 0), and what was said when it was mended."""
    problem = int(finding.level == "problem")
    if not fix or finding.mend is None:
        return problem, None
    try:
        return 0, finding.mend()
    except HermesError as error:
        return 1, error.message


def _findings(*, offline: bool) -> Iterator[Finding]:
    from hermes_agent.cli.checks.configuration import configuration, defaults, unusable
    from hermes_agent.cli.checks.gateway import gateway
    from hermes_agent.cli.checks.home import home
    from hermes_agent.cli.checks.logins import logins
    from hermes_agent.cli.checks.machine import machine
    from hermes_agent.cli.checks.model import model
    from hermes_agent.cli.checks.servers import servers
    from hermes_agent.config.load import load
    from hermes_agent.config.paths import Paths

    try:
        loaded = load()
    except ConfigError as error:
        paths = Paths.of()
        yield unusable(error, paths)
        if paths.home.is_dir():
            fallback = defaults(paths)
            yield from home(fallback)
            yield from machine(fallback)
        return
    yield from configuration(loaded)
    yield from home(loaded)
    yield from machine(loaded)
    yield from logins(loaded)
    yield from model(loaded, offline=offline)
    yield from servers(loaded, offline=offline)
    yield from gateway(loaded)
