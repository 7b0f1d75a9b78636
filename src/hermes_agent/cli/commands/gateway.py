"""`hermes gateway`: the always-on service."""

from pathlib import Path

import click

from hermes_agent.cli.commands.gateway_queue import queue
from hermes_agent.cli.commands.gateway_service import (
    install,
    restart,
    start,
    status,
    stop,
    uninstall,
)
from hermes_agent.cli.commands.logs import command as logs
from hermes_agent.domain.errors import HermesError, UsageError

EXIT_STATUS = """\b
Exit status of run:
  0    stopped as asked
  1    another gateway has this home, or it failed
  75   a planned restart: start it again
  78   the configuration cannot be used; restarting will not help"""


def _run_options(function: click.decorators.FC) -> click.decorators.FC:
    verbose = click.option("-v", "--verbose", is_flag=True, help="Log what happens in detail.")
    replace = click.option(
        "--replace",
        is_flag=True,
        help="Let the gateway that runs now finish its turns, then take its place.",
    )
    return verbose(replace(function))


@click.group(
    invoke_without_command=True,
    epilog=EXIT_STATUS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@_run_options
@click.pass_context
def command(ctx: click.Context, verbose: bool, replace: bool) -> None:
    """The always-on service: chat apps, HTTP, mail and scheduled jobs.

    Without a command it runs in the foreground, as `run` does.
    """
    if ctx.invoked_subcommand is None:
        ctx.exit(_run(verbose=verbose, replace=replace))
    if ctx.invoked_subcommand != "run" and (verbose or replace):
        raise UsageError(f"--verbose and --replace are for run, not for {ctx.invoked_subcommand}.")
    ctx.obj = (verbose, replace)


@command.command(epilog=EXIT_STATUS)
@_run_options
@click.pass_context
def run(ctx: click.Context, verbose: bool, replace: bool) -> None:
    """Run in the foreground until Ctrl-C or SIGTERM.

    SIGHUP reads the configuration again.
    """
    before: tuple[bool, bool] = ctx.obj  # the flags may stand before the command too
    ctx.exit(_run(verbose=verbose or before[0], replace=replace or before[1]))


@command.command()
def setup() -> None:
    """Set chat apps up, question by question."""
    from hermes_agent.cli.commands.gateway_setup import ask

    ask()


def _run(*, verbose: bool, replace: bool) -> int:
    from hermes_agent.config.load import load
    from hermes_agent.gateway.daemon import run as run_daemon
    from hermes_agent.gateway.replace import make_way

    loaded = load()
    if replace:
        from hermes_agent.cli.service.control import supervising_unit

        def supervisor(pid: int) -> str | None:
            unit = supervising_unit(pid)
            return None if unit is None else unit[0]

        make_way(
            loaded.paths.home,
            say=lambda text: click.echo(text, err=True),
            supervisor=supervisor,
        )
    _look_for_elder(loaded.paths.home, refuse=not replace)
    return run_daemon(loaded, verbose=verbose)


def _look_for_elder(home: Path, *, refuse: bool) -> None:
    """Two gateways would answer every message twice. A service (`--replace`) must start
    nevertheless: what tells of the other is a file that anybody who works in the home may write."""
    from hermes_agent.gateway.elder import running_elder

    pid = running_elder(home)
    if pid is None:
        return
    text = f"A gateway of an older installation runs on {home} (pid {pid})."
    if refuse:
        raise HermesError(text, hint=f"Stop it first, with its service or: kill {pid}")
    click.echo(f"warning: {text} Stop it: both take the same messages.", err=True)


for _part in (install, uninstall, start, stop, restart, status, queue):
    command.add_command(_part)
command.add_command(logs, "logs")
