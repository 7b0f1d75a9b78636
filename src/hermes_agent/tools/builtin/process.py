"""Follow and steer background commands."""

import time
from typing import cast

from hermes_agent.domain.execution import ProcessInfo
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext
from hermes_agent.tools.result import shorten

_LINES = 200


def summary(arguments: Arguments) -> str:
    """The action and the process."""
    return " ".join(str(arguments[key]) for key in ("action", "session_id") if key in arguments)


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """What the action gives. Raises `NotFoundError` and `EnvironmentFault`."""
    processes = context.environment.processes
    action = str(arguments["action"])
    if action == "list":
        return Outcome({"processes": [_line(info) for info in processes.list()]})
    name = str(arguments.get("session_id", ""))
    if not name:
        return Outcome({"error": f"{action} needs a session_id; list shows them."}, ok=False)
    match action:
        case "log":
            offset = cast("int | None", arguments.get("offset"))
            limit = cast("int", arguments.get("limit", _LINES))
            text, total = processes.log(name, offset=offset, limit=limit)
            return Outcome({"output": _cut(text, context), "total_lines": total})
        case "wait":
            await processes.wait(name, _patience(arguments, context))
        case "kill":
            await processes.kill(name)
        case "write" | "submit":
            data = str(arguments.get("data", ""))
            await _approve_typing(name, data, context)
            # To a program that awaits input, Enter is one newline, in a terminal too.
            await processes.write(name, data + "\n" if action == "submit" else data)
            return Outcome({"written": len(data)})
        case _:
            pass
    info, fresh = processes.poll(name)
    return Outcome({**_state(info), "output": _cut(fresh, context)})


async def _approve_typing(name: str, data: str, context: ToolContext) -> None:
    """What is typed may be a command for a shell: the line so far passes the gate as one."""
    line = context.session.typed.get(name, "") + data
    if line.strip():
        await context.approve_command(line, None)
    context.session.typed[name] = line.rpartition("\n")[2]


def _patience(arguments: Arguments, context: ToolContext) -> float:
    most = context.limits.terminal_timeout
    return min(most, cast("int", arguments.get("timeout", most)))


def _cut(text: str, context: ToolContext) -> str:
    return shorten(text, context.limits.terminal_chars)


def _state(info: ProcessInfo) -> dict[str, object]:
    state: dict[str, object] = {"session_id": info.id, "status": "running"}
    if info.exit_code is not None:
        state.update(status="exited", exit_code=info.exit_code)
    else:
        state["uptime_seconds"] = round(time.time() - info.started_at, 1)
    return state


def _line(info: ProcessInfo) -> dict[str, object]:
    return {**_state(info), "pid": info.pid, "command": info.command[:200], "cwd": info.cwd}
