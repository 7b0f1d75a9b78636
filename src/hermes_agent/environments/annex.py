"""A part of an environment for somebody who works there beside others."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hermes_agent.domain.errors import NotFoundError
from hermes_agent.domain.execution import CommandResult, ProcessInfo
from hermes_agent.domain.ports import Files, Processes
from hermes_agent.environments import Workroom
from hermes_agent.environments.shell import ShellEnvironment

if TYPE_CHECKING:
    from hermes_agent.environments.distant.guard import DistantGuard


def beside(environment: Workroom) -> Workroom:
    """A place in `environment` whose directory and background processes are its own; what it
    started ends when it is closed, `environment` stays."""
    if isinstance(environment, ShellEnvironment):
        return environment.branch()
    return Annex(environment)


class Annex:
    """The same place seen from one directory: each command begins there, and no `cd` carries over.

    For places where a second environment would be another container.
    """

    def __init__(self, environment: Workroom) -> None:
        self._whole = environment
        self._cwd = environment.cwd
        self._used = False
        self.processes = _Own(environment.processes)

    @property
    def name(self) -> str:
        """As in `terminal.backend`."""
        return self._whole.name

    @property
    def cwd(self) -> str:
        """Where every command begins."""
        return self._cwd

    @property
    def used(self) -> bool:
        """Whether a command ever ran here."""
        return self._used

    @property
    def files(self) -> Files:
        """The files that commands here see."""
        return self._whole.files

    @property
    def guard(self) -> "DistantGuard | None":
        """That of the whole."""
        return self._whole.guard

    async def run(
        self,
        command: str,
        *,
        workdir: str | None = None,
        timeout: float,
        pty: bool = False,
        on_output: Callable[[str], None] | None = None,
    ) -> CommandResult:
        """See `Environment.run`."""
        self._used = True
        return await self._whole.run(
            command, workdir=workdir or self._cwd, timeout=timeout, pty=pty, on_output=on_output
        )

    async def spawn(
        self, command: str, *, workdir: str | None = None, pty: bool = False
    ) -> ProcessInfo:
        """See `Environment.spawn`."""
        self._used = True
        info = await self._whole.spawn(command, workdir=workdir or self._cwd, pty=pty)
        self.processes.names.add(info.id)
        return info

    async def close(self) -> None:
        """End the background processes that were started from here."""
        await asyncio.gather(*(self.processes.kill(each.id) for each in self.processes.list()))


class _Own:
    """The background processes that one annex started."""

    def __init__(self, processes: Processes) -> None:
        self._all = processes
        self.names: set[str] = set()

    def list(self) -> Sequence[ProcessInfo]:
        return [each for each in self._all.list() if each.id in self.names]

    def poll(self, name: str) -> tuple[ProcessInfo, str]:
        return self._all.poll(self._own(name))

    def log(self, name: str, *, offset: int | None = None, limit: int = 200) -> tuple[str, int]:
        return self._all.log(self._own(name), offset=offset, limit=limit)

    async def wait(self, name: str, timeout: float) -> ProcessInfo:
        return await self._all.wait(self._own(name), timeout)

    async def kill(self, name: str) -> ProcessInfo:
        return await self._all.kill(self._own(name))

    async def write(self, name: str, data: str) -> None:
        await self._all.write(self._own(name), data)

    def _own(self, name: str) -> str:
        if name not in self.names:
            raise NotFoundError(f"There is no background process '{name}'.")
        return name
