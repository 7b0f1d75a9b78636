"""Commands in a distant place: one at a time in the foreground, any number in the background."""

import asyncio
import contextlib
import os
import posixpath
import time
from collections.abc import Callable, Sequence

from hermes_agent.domain.errors import EnvironmentFault
from hermes_agent.domain.execution import CommandResult, ProcessInfo
from hermes_agent.domain.ports import Files
from hermes_agent.environments import tree
from hermes_agent.environments.distant.client import Client
from hermes_agent.environments.distant.files import DistantFiles
from hermes_agent.environments.distant.guard import DistantGuard
from hermes_agent.environments.distant.link import Link
from hermes_agent.environments.distant.porter import Porter, script
from hermes_agent.environments.enclosure import Launch, Place
from hermes_agent.environments.output import Rolling
from hermes_agent.environments.printed import Printed
from hermes_agent.environments.processes import BUFFER, Followed, Processes
from hermes_agent.environments.warden import Warden

TIMED_OUT = 124
KILLED = 137

_GRACE = 0.1
_STEP = 0.01
_CLIENT_GRACE = 1.0
_BEGIN_SECONDS = 10.0
_SAID = 2_000

# The interrupt must not wait for a place that does not answer.
_END_SECONDS = 12.0


class DistantEnvironment:
    """An `Environment` at the other end of a link.

    The place is made with the first command or file, and made anew when it got lost. Each command
    gets a new shell there, in the directory and with the exported variables that the one before
    it left; both stay over there, and are lost with the place.
    """

    def __init__(self, link: Link, place: Place) -> None:
        self._link = link
        self._place = place
        self._cwd = place.cwd
        self._warden = Warden(lambda: link.scratch)
        self._connecting = asyncio.Lock()
        self._porter: Porter | None = None
        self._clients: set[Client] = set()
        self._prefix = f"{os.urandom(6).hex()}."
        self._runs = 0
        self._news = ""
        self._variables = dict(link.variables)
        self.guard: DistantGuard = link.guard()
        self._files = DistantFiles(cwd=place.cwd, reach=self._reach, guard=self.guard)
        self.processes = Processes(self._warden, end=self._end_process)

    @property
    def name(self) -> str:
        """As in `terminal.backend`."""
        return self._link.name

    @property
    def cwd(self) -> str:
        """Where the next command runs."""
        return self._cwd

    @property
    def home(self) -> str:
        """The home directory there; `~` until it is known."""
        return self.guard.home

    @property
    def used(self) -> bool:
        """Whether a command ever ran here."""
        return self._runs > 0

    @property
    def files(self) -> Files:
        """The files that commands here see."""
        return self._files

    async def run(
        self,
        command: str,
        *,
        workdir: str | None = None,
        timeout: float,
        pty: bool = False,
        on_output: Callable[[str], None] | None = None,
    ) -> CommandResult:
        """Run to the end. See `Environment.run` and `ShellEnvironment.run`.

        Raises `EnvironmentFault` when the place is lost meanwhile; the next command is run in a
        new one, and its output begins with a line that says so.
        """
        porter = await self._connect()
        run = self._next_run()
        printed = Printed(self._place.output_chars, on_output)
        news, self._news = self._news, ""
        printed.feed(news.encode())
        began = time.monotonic()
        client, _ = await self._start(
            command, run, porter, printed.feed, workdir=workdir, pty=pty, stdin=False
        )
        try:
            timed_out = await self._until_ended(client, run, porter, timeout, printed)
            await asyncio.wait((client.silent,), timeout=_GRACE)
            output, omitted = printed.finish()
            status = TIMED_OUT
            if not timed_out:
                status = await self._judge(client, porter, output)
        finally:
            self._warden.forget(run)
        return CommandResult(
            exit_code=status,
            output=output,
            omitted=omitted,
            timed_out=timed_out,
            duration=time.monotonic() - began,
        )

    async def spawn(
        self, command: str, *, workdir: str | None = None, pty: bool = False
    ) -> ProcessInfo:
        """Start in the background; follow it through `processes`."""
        porter = await self._connect()
        self.processes.make_room()
        run = self._next_run()
        output = Rolling(BUFFER)
        client, feed = await self._start(
            command, run, porter, output.feed, workdir=workdir, pty=pty, stdin=True, aside=True
        )
        await asyncio.wait(
            (client.begun, client.exited),
            timeout=_BEGIN_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not client.pid or client.word in ("absent", "gone", "stale"):
            if feed is not None:
                os.close(feed)
            await self._end(client, run, porter)
            self._warden.forget(run)
            await self._judge(client, porter, "")
            raise EnvironmentFault(f"The command could not be started: {client.noise.text()}")
        where = client.there if client.word == "gone" else self._named(workdir)
        return self.processes.adopt(client, feed, output, command=command, cwd=where, run=run)

    async def close(self) -> None:
        """End what still runs and give everything back."""
        async with self._connecting:
            porter, self._porter = self._porter, None
            await self._disconnect(porter)
        await self.processes.close()
        self._warden.close()
        await self._link.close()

    async def _connect(self) -> Porter:
        async with self._connecting:
            porter = self._porter
            if porter is not None and not porter.gone.done():
                return porter
            if porter is not None:
                await self._lose(porter)
            fresh = Porter()
            argv = fresh.argv(self._prefix, self._link.scratch_base)
            launch = await self._link.open(argv, self._prefix)
            try:
                await fresh.start(launch, patience=self._link.patience)
            except EnvironmentFault as fault:
                await self._link.leave()
                raise EnvironmentFault(
                    f"{self._link.noun[0].upper()}{self._link.noun[1:]} cannot be reached: "
                    f"{fault.message}",
                    hint=fault.hint or "`hermes doctor` looks at terminal.backend.",
                ) from fault
            except BaseException:
                await self._link.leave()
                raise
            self._porter = fresh
            if fresh.home:
                self.guard.home = fresh.home
            if self._cwd == "~" or self._cwd.startswith("~/"):
                self._cwd = fresh.home + self._cwd[1:]
            return fresh

    async def _disconnect(self, porter: Porter | None) -> None:
        if porter is not None:
            await porter.close()
            await self._link.leave()
        for client in self._clients:
            await self._end_client(client)
        self._clients.clear()

    async def _lose(self, porter: Porter) -> None:
        """The place is gone: nothing of it can be used any more."""
        if self._porter is not porter:
            return
        self._porter = None
        self._cwd = self._place.cwd
        self._news = (
            f"[{self._link.noun[0].upper()}{self._link.noun[1:]} was lost. This ran in a new "
            "place: directory, exported variables, background processes and files that are not "
            "kept are gone.]\n"
        )
        await self._disconnect(porter)

    async def _start(
        self,
        command: str,
        run: str,
        porter: Porter,
        feed: Callable[[bytes], None],
        *,
        workdir: str | None,
        pty: bool,
        stdin: bool,
        aside: bool = False,
    ) -> tuple[Client, int | None]:
        if "\0" in command:
            raise EnvironmentFault("The command could not be started: it holds a NUL character.")
        text = await self._fitting(command, run, porter)
        carry = "keep" if workdir is None and not aside else "look"
        where = (self._named(workdir), "") if workdir is not None else (self._cwd, self._place.cwd)
        argv = (
            *("sh", "-c", script("command.sh"), "hermes-command", porter.fence, run),
            *(porter.scratch, *where, carry if self._place.persistent else ""),
            *(script("shell.sh"), text),
        )
        variables = {**self._variables, tree.MARKER: run}
        if pty:
            variables["TERM"] = "xterm-256color"
        launch = self._link.launch(argv, variables=variables, pty=pty, stdin=stdin)
        client = Client(porter.fence, feed, where=where[0])
        self._warden.expect(run)
        try:
            descriptor = client.start(launch, pty=pty, stdin=stdin)
        except BaseException:
            self._warden.forget(run)
            raise
        self._warden.watch(run, client.client)
        self._clients = {each for each in self._clients if not each.gone}
        self._clients.add(client)
        return client, descriptor

    async def _fitting(self, command: str, run: str, porter: Porter) -> str:
        """The command as text that fits into a command line."""
        data = command.encode("utf-8", "replace")
        if len(data) < self._link.longest:
            return data.decode()
        path = f"{porter.scratch}/{run}sh"
        try:
            await self._files.write(path, data)
        except OSError as error:
            raise EnvironmentFault(
                f"A command this long has to go through a file, and none can be made: {error}.",
                hint="Free some disk space there, or use shorter commands.",
            ) from error
        return f". '{path}'"

    async def _until_ended(
        self, client: Client, run: str, porter: Porter, timeout: float, printed: Printed
    ) -> bool:
        """Whether the time was over and the command had to be killed."""
        try:
            await asyncio.wait(
                (client.exited, porter.gone),
                timeout=timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if client.exited.done() or porter.gone.done():
                return False
            await self._end(client, run, porter)
        except asyncio.CancelledError:
            ending = asyncio.ensure_future(self._end(client, run, porter))
            await asyncio.shield(ending)
            raise asyncio.CancelledError(printed.finish()[0]) from None
        return True

    async def _judge(self, client: Client, porter: Porter, output: str) -> int:
        """The exit status; and where the next command runs. Raises `EnvironmentFault` when the
        command did not come to an end."""
        if client.finished:
            self._cwd = client.there or self._cwd
            return client.exited.result()
        if client.word == "gone":
            gone, self._cwd = self._cwd, client.there
            raise EnvironmentFault(
                f"The working directory {gone} is gone; the command was not run.",
                hint=f"Commands now run in {client.there}. If that is right, run it again.",
            )
        if client.word == "absent":
            raise EnvironmentFault(f"The working directory {client.where} does not exist.")
        if client.word != "stale" and await porter.ask("ping"):
            if client.pid:
                return KILLED  # with the shell around it, else that would have said how it went
            raise EnvironmentFault(f"The command could not be started: {client.noise.text()}")
        said = client.noise.text() or porter.said
        async with self._connecting:
            await self._lose(porter)
        printed = f" It had printed: {output[-_SAID:]}" if output else ""
        raise EnvironmentFault(
            f"{self._link.noun[0].upper()}{self._link.noun[1:]} was lost while the command ran."
            f"{f' {said}' if said and not printed else ''}{printed}",
            hint="The next command starts in a new place; look what was done before repeating it.",
        )

    async def _end_process(self, child: Followed, run: str) -> None:
        assert isinstance(child, Client)
        if self._porter is not None:
            await self._end(child, run, self._porter)
        else:
            await self._end_client(child)

    async def _end(self, client: Client, run: str, porter: Porter) -> None:
        """Kill the command with all that it started: SIGTERM, SIGKILL after 100 ms."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                if await porter.ask("ask", run, client.pid):
                    for _ in range(int(_GRACE / _STEP)):
                        if client.gone:
                            break
                        await asyncio.sleep(_STEP)
                    await porter.ask("finish", run, client.pid)
                    await asyncio.wait((client.silent,), timeout=_CLIENT_GRACE)
        await self._end_client(client)

    async def _end_client(self, client: Client) -> None:
        if not client.gone:
            client.kill()
            await asyncio.wait((client.exited,), timeout=_GRACE)
        client.close()

    async def _reach(self, argv: Sequence[str], stdin: bool) -> Launch:
        await self._connect()
        return self._link.launch(argv, variables={}, pty=False, stdin=stdin)

    def _named(self, workdir: str | None) -> str:
        if workdir is None or workdir.startswith("~"):
            return workdir or self._cwd
        return posixpath.normpath(posixpath.join(self._cwd, workdir))

    def _next_run(self) -> str:
        self._runs += 1
        return f"{self._prefix}{self._runs}."
