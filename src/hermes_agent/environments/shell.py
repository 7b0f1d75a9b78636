"""Commands in a shell: one at a time in the foreground, any number in the background."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path

import msgspec

from hermes_agent.domain.errors import EnvironmentFault
from hermes_agent.domain.execution import CommandResult, ProcessInfo
from hermes_agent.domain.ports import Files
from hermes_agent.environments import snapshot, tree
from hermes_agent.environments.child import Child, start
from hermes_agent.environments.enclosure import Enclosure, Launch, Place
from hermes_agent.environments.printed import Printed, Void
from hermes_agent.environments.processes import Processes
from hermes_agent.environments.warden import Warden

TIMED_OUT = 124

_SHELL = ("bash", "--norc", "--noprofile", "-c")
_SCRIPT = Path(__file__).with_name("run.sh")
_GRACE = 0.1
_SNAPSHOT_LIMIT = 1_000_000

# execve(2): one argument may hold 128 KiB.
_LONGEST_ARGUMENT = 120_000

# What a shell says of itself, not for the next one.
_PASSING = frozenset({"PWD", "SHLVL", "_", "TERM", tree.MARKER})

_LINGERING_CHILDREN = 64

# How often a place that stumbles is tried, and how long one may take to begin in the background.
_STUMBLES = 3
_STEP = 0.005
_BEGINNING = 400


class ShellEnvironment:
    """An `Environment` whose commands are run by bash inside an enclosure.

    The shell does not stay: each command gets a new one, in the directory and with the exported
    variables that the one before it left. Functions, aliases, options and the umask do not carry
    over. A child that a finished command left in the background lives on, as in any shell, and
    what it prints is thrown away; start what is to be followed with `spawn`.
    """

    guard = None

    def __init__(self, enclosure: Enclosure, place: Place, *, borrowed: bool = False) -> None:
        self._enclosure = enclosure
        self._borrowed = borrowed
        self._place = place
        self._cwd = place.cwd
        self._variables = dict(place.variables)
        self._seen: bytes = b""
        self._warden = Warden(lambda: None if borrowed else enclosure.scratch)
        self._lingering: list[Child] = []
        self._prefix = os.urandom(6).hex()
        self._runs = 0
        self.processes = Processes(self._warden)

    @property
    def name(self) -> str:
        """As in `terminal.backend`."""
        return self._enclosure.name

    @property
    def cwd(self) -> str:
        """Where the next command runs."""
        return self._cwd

    @property
    def used(self) -> bool:
        """Whether a command ever ran here."""
        return self._runs > 0

    @property
    def files(self) -> Files:
        """The files that commands here see."""
        return self._enclosure.files

    async def run(
        self,
        command: str,
        *,
        workdir: str | None = None,
        timeout: float,
        pty: bool = False,
        on_output: Callable[[str], None] | None = None,
    ) -> CommandResult:
        """Run to the end. See `Environment.run`.

        A command with a `workdir` is run aside: nothing of it carries over. When the session's own
        directory is gone, the session moves to the nearest one that is left and
        `EnvironmentFault` says so: the command was not meant for that place.
        """
        for _ in range(_STUMBLES):
            ended = await self._once(command, workdir, timeout, pty, on_output)
            if ended is not None:
                return ended
        raise _unsteady()

    async def _once(
        self,
        command: str,
        workdir: str | None,
        timeout: float,
        pty: bool,
        on_output: Callable[[str], None] | None,
    ) -> CommandResult | None:
        """None when the place stumbled before the command began."""
        cwd = await self._enter(workdir)
        run = self._next_run()
        aside = workdir is not None or not self._place.persistent
        left = None if aside else self._scratch_file(run)
        printed = Printed(self._place.output_chars, on_output)
        began = time.monotonic()
        with self._at_hand(command, run) as text:
            launch = self._launch(text, cwd=cwd, run=run, snapshot=left, pty=pty)
            self._warden.expect(run)
            try:
                child, _ = start(launch, printed.feed, pty=pty)
                self._warden.watch(run, child.pid)
                status = await self._until_ended(child, run, timeout, printed)
            finally:
                self._warden.forget(run)
            output, omitted = await self._rest(child, printed)
        if self._stumbled(run, output):
            return None
        if left:
            self._adopt(Path(left), run)
        return CommandResult(
            exit_code=TIMED_OUT if status is None else status,
            output=output,
            omitted=omitted,
            timed_out=status is None,
            duration=time.monotonic() - began,
        )

    async def spawn(
        self, command: str, *, workdir: str | None = None, pty: bool = False
    ) -> ProcessInfo:
        """Start in the background; follow it through `processes`."""
        cwd = await self._enter(workdir)
        run = self._next_run()
        text = command if _fits(command) else f". '{self._write_script(command, run)}'"
        for _ in range(_STUMBLES):
            launch = self._launch(text, cwd=cwd, run=run, snapshot=None, pty=pty)
            started = self.processes.start(launch, command=command, cwd=cwd, run=run, pty=pty)
            await self._until_begun(run, started.id)
            if not self._stumbled(run, self.processes.log(started.id)[0]):
                return started
            self.processes.forget(started.id)
        raise _unsteady()

    @property
    def scratch(self) -> str | None:
        """A private directory that this process and the commands know by the same path."""
        return self._enclosure.scratch

    def branch(self) -> "ShellEnvironment":
        """Another one that sees the same files and begins where this one is now. Its directory,
        variables and background processes are its own. To be closed before this one."""
        self._runs += 1  # what it leaves in a /tmp of ours is to be found later
        place = msgspec.structs.replace(self._place, cwd=self._cwd, variables=self._variables)
        return ShellEnvironment(self._enclosure, place, borrowed=True)

    async def close(self) -> None:
        """End the background processes, stop listening to what commands left behind."""
        await self.processes.close()
        for child in self._lingering:
            child.close()
        self._warden.close()
        if not self._borrowed:
            self._enclosure.close()

    async def _enter(self, workdir: str | None) -> str:
        """The directory to run in, as it is there."""
        if workdir is not None:
            wanted = self._named(workdir)
            if not await self._is_directory(wanted):
                raise EnvironmentFault(f"The working directory {wanted} does not exist.")
            return wanted
        if await self._is_directory(self._cwd):
            return self._cwd
        gone = self._cwd
        for refuge in (self._place.cwd, *map(str, Path(gone).parents)):
            if await self._is_directory(refuge):
                self._cwd = refuge
                break
        raise EnvironmentFault(
            f"The working directory {gone} is gone; the command was not run.",
            hint=f"Commands now run in {self._cwd}. If that is right, run it again.",
        )

    def _named(self, workdir: str) -> str:
        return os.path.normpath(os.path.join(self._cwd, os.path.expanduser(workdir)))  # noqa: PTH118, PTH111 - text only: the path may be elsewhere

    async def _is_directory(self, path: str) -> bool:
        try:
            there = await self.files.stat(path)
        except OSError:
            return False
        return there is not None and there.kind == "directory"

    def _next_run(self) -> str:
        self._runs += 1
        return f"{self._prefix}.{self._runs}"

    def _scratch_file(self, name: str) -> str | None:
        return f"{self._enclosure.scratch}/{name}" if self._enclosure.scratch else None

    def _sign(self, run: str) -> str | None:
        """The file that a command makes when it begins, where there is a use for it."""
        return self._scratch_file(f"{run}.begun") if self._enclosure.fleeting else None

    def _stumbled(self, run: str, output: str) -> bool:
        """Whether the command never began, for a reason that passes."""
        fleeting, sign = self._enclosure.fleeting, self._sign(run)
        if fleeting is None or sign is None:
            return False
        try:
            os.unlink(sign)  # noqa: PTH108 - text
        except OSError:
            return fleeting.fullmatch(output) is not None
        return False

    async def _until_begun(self, run: str, name: str) -> None:
        sign = self._sign(run)
        for _ in range(_BEGINNING if sign else 0):
            ended = await self.processes.wait(name, _STEP)
            if ended.exit_code is not None or os.path.exists(sign or ""):  # noqa: PTH110, ASYNC240 - in memory
                return

    @contextlib.contextmanager
    def _at_hand(self, command: str, run: str) -> Generator[str]:
        """The command as text that fits into an argument."""
        if _fits(command):
            yield command
            return
        path = self._write_script(command, run)
        try:
            yield f". '{path}'"
        finally:
            Path(path).unlink(missing_ok=True)

    def _write_script(self, command: str, run: str) -> str:
        path = self._scratch_file(f"{run}.sh")
        try:
            if path is None:
                raise FileNotFoundError("there is no scratch directory")
            Path(path).write_bytes(_bytes(command))
        except OSError as error:
            raise EnvironmentFault(
                f"A command this long has to go through a file, and none can be made: {error}.",
                hint="Free some disk space, or use shorter commands.",
            ) from error
        return path

    def _launch(
        self, command: str, *, cwd: str, run: str, snapshot: str | None, pty: bool
    ) -> Launch:
        variables = {**self._variables, "PWD": cwd, tree.MARKER: run}
        if pty:
            variables["TERM"] = "xterm-256color"
        terminal = self._enclosure.terminal if pty else ""
        argv = (*_SHELL, _script(), "bash", _bytes(command), snapshot or "", terminal)
        argv = (*argv, self._sign(run) or "")
        return self._enclosure.launch(argv, cwd=cwd, variables=variables, pty=pty)

    async def _until_ended(
        self, child: Child, run: str, timeout: float, printed: "Printed"
    ) -> int | None:
        """The exit status; None when the time was over and the command had to be killed."""
        try:
            await asyncio.wait((child.exited,), timeout=timeout)
            if child.exited.done():
                return child.exited.result()
            await tree.end(child.pid, run)
        except asyncio.CancelledError:
            await tree.end(child.pid, run)
            raise asyncio.CancelledError((await self._rest(child, printed))[0]) from None
        return None

    async def _rest(self, child: Child, printed: "Printed") -> tuple[str, int]:
        """All output, when the command itself has ended. Who still holds it open is not waited
        for, but may go on writing without harm."""
        await asyncio.wait((child.silent,), timeout=_GRACE)
        if not child.silent.done():
            child.redirect(Void(child).feed)
            self._lingering = [c for c in self._lingering if not c.silent.done()]
            self._lingering.append(child)
            if len(self._lingering) > _LINGERING_CHILDREN:
                self._lingering.pop(0).close()
        return printed.finish()

    def _adopt(self, left: Path, run: str) -> None:
        """Take over what the shell left; nothing when it could not leave anything."""
        try:
            data = left.read_bytes()
            left.unlink()
        except OSError:
            return
        # Every command carries another mark; apart from it most leave what they found.
        unmarked = data.replace(run.encode(), b"")
        if unmarked == self._seen or len(data) > _SNAPSHOT_LIMIT:
            return
        parsed = snapshot.parse(data)
        if parsed is None:
            return
        self._seen = unmarked
        self._cwd, exported = parsed
        kept = {name: self._place.variables[name] for name in _PASSING & {*self._place.variables}}
        self._variables = kept | {n: v for n, v in exported.items() if n not in _PASSING}


def _unsteady() -> EnvironmentFault:
    return EnvironmentFault(
        f"The command could not be started: mounts of this machine changed {_STUMBLES} times "
        "while it was prepared.",
        hint="Try again when no containers are being started or stopped.",
    )


@cache
def _script() -> str:
    return _SCRIPT.read_text()


def _fits(command: str) -> bool:
    return len(command) * 4 < _LONGEST_ARGUMENT or len(_bytes(command)) < _LONGEST_ARGUMENT


def _bytes(command: str) -> bytes:
    return command.encode("utf-8", "replace")
