"""`hermes logs`: what the gateway wrote into its log."""

import re
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hermes_agent.cli.logtail import Record

_SPAN = re.compile(r"(\d+)\s*(s|m|min|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on.")
@click.option(
    "-n", "--lines", "count", type=click.IntRange(min=0), default=50, show_default=True,
    help="How many records, the last ones.",
)  # fmt: skip
@click.option("--errors", is_flag=True, help="errors.log: warnings and errors, of commands too.")
@click.option("--since", metavar="TIME", help="Not older: 90s, 15m, 2h, 3d, or 2026-03-14 15:09.")
@click.option(
    "--level",
    type=click.Choice(["debug", "info", "warning", "error", "critical"], case_sensitive=False),
    default="debug",
    help="Nothing less grave.",
)
@click.option("--grep", "pattern", metavar="REGEX", help="Only what matches, whatever its case.")
def command(
    follow: bool, count: int, errors: bool, since: str | None, level: str, pattern: str | None
) -> None:
    """Show the gateway's log, the newest records last."""
    from hermes_agent.cli import logtail
    from hermes_agent.config.paths import Paths

    path = Paths.of().logs_dir / ("errors.log" if errors else "gateway.log")
    wish = logtail.Wish(level.upper(), _since(since), _matching(pattern))
    show = _shower()
    try:
        following = logtail.Following(path) if follow else None
        found = logtail.last(path, count, wish, end=following.begin if following else None)
        for record in found:
            show(record)
        if following is None:
            if not found:
                click.echo(f"Nothing to show in {path}", err=True)
            return
        for record in following.records(wish):
            if record is None:
                sys.stdout.flush()
            else:
                show(record)
    except KeyboardInterrupt:
        return
    except OSError as error:
        if error.filename is None:
            raise
        from hermes_agent.domain.errors import HermesError

        raise HermesError(f"Cannot read {path}: {error.strerror}") from error


def _since(text: str | None) -> float:
    import time

    if text is None:
        return 0.0
    span = _SPAN.fullmatch(text.strip().lower())
    if span:
        return time.time() - int(span[1]) * _SECONDS[span[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError):
        from hermes_agent.domain.errors import UsageError

        raise UsageError(
            f"“{text}” is no time", hint="Write 90s, 15m, 2h, 3d, 2026-03-14 or 2026-03-14T15:09."
        ) from None


def _matching(pattern: str | None) -> Callable[[str], bool] | None:
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        from hermes_agent.domain.errors import UsageError

        raise UsageError(f"“{pattern}” is no regular expression: {error}") from error
    return lambda text: compiled.search(text) is not None


def _shower() -> "Callable[[Record], None]":
    """Pipes get records as they stand in the file; terminals colours and tracebacks in lines."""
    from hermes_agent.cli.commands.session_lines import styled
    from hermes_agent.gateway.lines import harmless

    tty = sys.stdout.isatty()

    def show(record: "Record") -> None:
        text = "\n".join(harmless(line) for line in record.text.split("\n"))
        if tty:
            text = text.replace("\\n", "\n    ")
            colour = _COLOURS.get(record.line.level) if record.line else None
            text = styled(text, fg=colour) if colour else text
        sys.stdout.write(text + "\n")

    return show
