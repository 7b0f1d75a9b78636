"""Run a program of the model's own that calls tools."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec

from hermes_agent.domain.errors import EnvironmentFault, UsageError
from hermes_agent.domain.execution import CommandResult
from hermes_agent.tools import programs
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext
from hermes_agent.tools.programs.desk import Desk
from hermes_agent.tools.result import shorten
from hermes_agent.tools.sound import sound

_LONGEST = 200_000
_SOURCE = Path(programs.__file__).parent


def summary(arguments: Arguments) -> str:
    """Its first line that does something."""
    lines = [line.strip() for line in str(arguments["code"]).splitlines()]
    telling = [line for line in lines if line and not line.startswith(("#", "import ", "from "))]
    return f"python: {(telling or lines or [''])[0]}"


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """How it ended and what it printed."""
    place, inner = context.programs, context.inner
    if place is None or inner is None:
        raise UsageError("Programs cannot be run here.")
    code = str(arguments["code"])
    if len(code) > _LONGEST:
        raise UsageError(f"The program is longer than {_LONGEST} characters.")
    code = await place.approve(code)
    folder = _folder(place.folder())
    try:
        _furnish(folder, code, _offered(inner.specs()))
        desk = Desk(folder / "s", inner, most=place.max_calls, show=context.emit_output)
        await desk.open()
        try:
            ended = await context.environment.run(
                _command(folder, sweep=context.environment.name == "local"),
                workdir=context.environment.cwd,
                timeout=place.timeout,
                on_output=context.emit_output,
            )
        finally:
            await desk.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _told(ended, desk.made, place.timeout, context.limits.terminal_chars)


def _folder(scratch: str | None) -> Path:
    if scratch is None:
        raise EnvironmentFault("There is no place for the program: no temporary directory.")
    folder = Path(scratch, f"code-{os.urandom(4).hex()}")
    folder.mkdir(mode=0o700)
    return folder


def _furnish(folder: Path, code: str, tools: list[tuple[str, list[str]]]) -> None:
    (folder / "program.py").write_text(str(sound(code)), "utf-8")
    (folder / "tools.json").write_bytes(msgspec.json.encode(tools))
    for name in ("hermes_tools.py", "run.sh"):
        shutil.copyfile(_SOURCE / name, folder / name)


def _offered(specs: "tuple[Any, ...]") -> list[tuple[str, list[str]]]:
    """Each tool with its parameters, the required ones first."""
    found: list[tuple[str, list[str]]] = []
    for spec in specs:
        schema = msgspec.json.decode(spec.parameters)
        required = schema.get("required", [])
        rest = [name for name in schema.get("properties", {}) if name not in required]
        found.append((spec.name, [*required, *rest]))
    return found


def _command(folder: Path, *, sweep: bool) -> str:
    program = str(folder / "program.py")
    return shlex.join(("sh", str(folder / "run.sh"), program, sys.executable, "1" if sweep else ""))


def _told(ended: CommandResult, calls: int, timeout: float, most: int) -> Outcome:
    status, error = "success", None
    if ended.timed_out:
        status, error = "timeout", f"Killed after {timeout:g} seconds."
    elif ended.exit_code:
        status, error = "error", f"It ended with status {ended.exit_code}."
    data: dict[str, object] = {
        "status": status,
        "output": shorten(ended.output, most),
        "tool_calls_made": calls,
        "duration_seconds": round(ended.duration, 2),
    }
    if error:
        data["error"] = error
    return Outcome(data, ok=status == "success")
