"""Scripts of jobs: files in HERMES_HOME/scripts, run like any command of the agent's."""

import os
import shlex
from collections.abc import Awaitable
from pathlib import Path
from typing import Protocol

from hermes_agent.domain.errors import NotFoundError
from hermes_agent.domain.execution import CommandResult


class RunCommand(Protocol):
    """Runs a command through the gate, in an environment of its own; nobody is asked.

    `workdir` None is where the agent's commands begin. Raises `DeniedError`.
    """

    def __call__(
        self, command: str, *, workdir: str | None, timeout: float
    ) -> Awaitable[CommandResult]: ...


def script_command(folder: Path, script: str) -> str:
    """The command line that runs the script. Raises `NotFoundError` for what is no file below
    `folder`, links followed."""
    base = Path(os.path.realpath(folder))
    path = Path(os.path.realpath(base / script))
    if not path.is_relative_to(base) or not path.is_file():
        raise NotFoundError(
            f"There is no script {script!r} in {folder}.", hint="Put it there, and mind its name."
        )
    if os.access(path, os.X_OK):
        return shlex.quote(str(path))
    interpreter = "python3" if path.suffix == ".py" else "bash"
    return f"{interpreter} {shlex.quote(str(path))}"
