"""Run a command, to its end or in the background."""

from typing import cast

from hermes_agent.domain.execution import CommandResult
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext
from hermes_agent.tools.result import shorten


def summary(arguments: Arguments) -> str:
    """The command, as at a prompt."""
    where = f"{arguments['workdir']} " if arguments.get("workdir") else ""
    return f"{where}$ {arguments['command']}" + (" &" if arguments.get("background") else "")


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """Its output and exit code; of a background command, the id to follow it by."""
    command = str(arguments["command"])
    workdir = str(arguments["workdir"]) if arguments.get("workdir") else None
    pty = bool(arguments.get("pty"))
    command = await context.approve_command(command, workdir)
    if arguments.get("background"):
        started = await context.environment.spawn(command, workdir=workdir, pty=pty)
        return Outcome(
            {
                "output": "Started in the background.",
                "session_id": started.id,
                "pid": started.pid,
                "exit_code": 0,
                "error": None,
            }
        )
    timeout = float(cast("int", arguments.get("timeout", context.limits.terminal_timeout)))
    ended = await context.environment.run(
        command, workdir=workdir, timeout=timeout, pty=pty, on_output=context.emit_output
    )
    return Outcome(
        {
            "output": shorten(ended.output, context.limits.terminal_chars),
            "exit_code": ended.exit_code,
            "error": _error(ended, timeout),
        },
        ok=not ended.timed_out,
        summary=f"{summary(arguments)} → {ended.exit_code}" if ended.exit_code else "",
    )


def _error(ended: CommandResult, timeout: float) -> str | None:
    if ended.timed_out:
        return (
            f"Killed after {timeout:g} seconds. Give it a longer timeout, "
            "or start it with background."
        )
    if ended.exit_code < 0:
        return f"Killed by signal {-ended.exit_code}."
    return None
