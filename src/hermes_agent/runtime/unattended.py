"""Commands that run for no session, such as a job's script: same gate, same environment."""

import logging
from pathlib import Path

from hermes_agent.domain.execution import CommandResult
from hermes_agent.domain.ports import Asker
from hermes_agent.policy.askers import NobodyToAsk
from hermes_agent.runtime.workplace import Premises, Workplace

_log = logging.getLogger(__name__)


class Unattended:
    """Each command gets a place of its own, given back when it ends. `cwd` is where it begins;
    without an `asker` every question is denied."""

    def __init__(self, premises: Premises, cwd: Path, asker: Asker | None = None) -> None:
        self._premises = premises
        self._cwd = cwd
        self._asker = asker or NobodyToAsk()

    async def __call__(self, command: str, *, workdir: str | None, timeout: float) -> CommandResult:
        """Run to the end. Raises `DeniedError`, `EnvironmentFault`."""
        work = Workplace(
            self._premises,
            cwd=Path(workdir) if workdir else self._cwd,
            asker=self._asker,
            notify=_log.info,
            may_grant=False,
        )
        try:
            allowed = await work.approve(command)
            return await work.environment.run(allowed, timeout=timeout)
        finally:
            await work.environment.close()
