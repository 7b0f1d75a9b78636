"""`hermes deploy apply`."""

import sys
from pathlib import Path

import click


@click.command("apply")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--no-start", is_flag=True, help="Install everything, but start nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def command(file: Path, dry_run: bool, no_start: bool, as_json: bool) -> None:
    """Install the deployment that the specification in FILE describes, and start it.

    What is installed and as described is left alone: the service is restarted for a change, and
    only then. - reads the specification from the standard input.
    """
    from hermes_agent.deploy.applying.apply import apply
    from hermes_agent.deploy.reading import parse, read

    spec = parse(sys.stdin.read(), "standard input") if str(file) == "-" else read(file)
    outcome = apply(
        spec,
        start=not no_start,
        dry_run=dry_run,
        say=lambda text: click.echo(text, err=as_json),
    )
    for warning in outcome.warnings:
        click.echo(f"hermes: {warning}", err=True)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(outcome).decode())
        return
    if dry_run:
        for change in outcome.changes:
            click.echo(f"Would {change}")
        click.echo(_WOULD[outcome.service].format(outcome.unit))
    else:
        done = _DONE[outcome.service].format(outcome.unit)
        if outcome.service == "unchanged":
            done += "; it was not restarted." if outcome.changes else "; nothing was changed."
        click.echo(done)


_WOULD = {
    "unchanged": "{} would be left alone.",
    "not started": "{} would not be started.",
    "started": "{} would be started.",
    "restarted": "{} would be restarted.",
}
_DONE = {
    "unchanged": "{} runs as described",
    "not started": "{} is installed; it was not started.",
    "started": "{} runs. Look at it with: hermes deploy status",
    "restarted": "{} runs anew. Look at it with: hermes deploy status",
}
