"""Background processes: started, followed, fed and ended."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from hermes_agent.domain.errors import EnvironmentFault, NotFoundError
from hermes_agent.domain.execution import ProcessInfo
from hermes_agent.environments import tree
from hermes_agent.environments.child import start
from hermes_agent.environments.enclosure import Launch
from hermes_agent.environments.output import Rolling
from hermes_agent.environments.warden import Warden

BUFFER = 200_000
_MOST = 64
_KEPT_SECONDS = 30 * 60.0
_WRITE_PATIENCE = 5.0
_GRACE = 0.1


class Followed(Protocol):
    """What is known of a running program; see `Child`."""

    @property
    def pid(self) -> int: ...

    @property
    def exited(self) -> "asyncio.Future[int]": ...

    @property
    def silent(self) -> "asyncio.Future[None]": ...

    def close(self) -> None: ...


End = Callable[[Followed, str], Awaitable[None]]


async def _end_here(child: Followed, run: str) -> None:
    await tree.end(child.pid, run)


class _Process:
    """One of them. `feed` is the descriptor of its input, None when that is closed."""

    def __init__(self, info: ProcessInfo, run: str, child: Followed, feed: int | None) -> None:
        self.info = info
        self.run = run
        self.child = child
        self.feed = feed
        self.ended_at: float | None = None
        self.polled = 0


class Processes:
    """The background processes of one environment, at most 64.

    Of each the last 200 KB of output are kept; a finished one is forgotten after 30 minutes, or
    when its place is needed. All methods need a running loop. An unknown id raises
    `NotFoundError`. `end` kills one with all that it started.
    """

    def __init__(
        self, warden: Warden, *, end: End = _end_here, clock: Callable[[], float] = time.time
    ) -> None:
        self._warden = warden
        self._end = end
        self._clock = clock
        self._all: dict[str, _Process] = {}
        self._outputs: dict[str, Rolling] = {}

    def start(
        self, launch: Launch, *, command: str, cwd: str, run: str, pty: bool = False
    ) -> ProcessInfo:
        """Start one. Raises `EnvironmentFault`, also when 64 are running."""
        self.make_room()
        output = Rolling(BUFFER)
        self._warden.expect(run)
        try:
            child, feed = start(launch, output.feed, pty=pty, stdin=True)
        except EnvironmentFault:
            self._warden.forget(run)
            raise
        self._warden.watch(run, child.pid)
        return self.adopt(child, feed, output, command=command, cwd=cwd, run=run)

    def adopt(
        self,
        child: Followed,
        feed: int | None,
        output: Rolling,
        *,
        command: str,
        cwd: str,
        run: str,
    ) -> ProcessInfo:
        """Follow one that was started elsewhere; there must be room for it."""
        name = f"proc_{os.urandom(6).hex()}"
        info = ProcessInfo(
            id=name, command=command, pid=child.pid, cwd=cwd, started_at=self._clock()
        )
        process = _Process(info, run, child, feed)
        self._all[name], self._outputs[name] = process, output
        child.exited.add_done_callback(lambda _: self._ended(process))
        return info

    def list(self) -> list[ProcessInfo]:
        """Running and finished, oldest first."""
        self._forget_old()
        return [process.info for process in self._all.values()]

    def poll(self, name: str) -> tuple[ProcessInfo, str]:
        """How it stands, and what it printed since the last poll."""
        process, output = self._find(name)
        fresh = output.since(process.polled)
        process.polled = output.total
        return process.info, fresh

    def log(self, name: str, *, offset: int | None = None, limit: int = 200) -> tuple[str, int]:
        """Lines of its output and the number of lines there are: `limit` lines from `offset`
        (from 0), or the last `limit`."""
        _, output = self._find(name)
        lines = output.text().splitlines()
        begin = max(len(lines) - limit, 0) if offset is None else offset
        return "\n".join(lines[begin : begin + limit]), len(lines)

    async def wait(self, name: str, timeout: float) -> ProcessInfo:
        """Until it has ended, or `timeout` seconds; `exit_code` tells which."""
        process, _ = self._find(name)
        await asyncio.wait((process.child.exited,), timeout=timeout)
        if process.child.exited.done():
            await asyncio.wait((process.child.silent,), timeout=_GRACE)
        return process.info

    async def kill(self, name: str) -> ProcessInfo:
        """End it and all that it started."""
        process, _ = self._find(name)
        if not process.child.exited.done():
            await self._end(process.child, process.run)
            await asyncio.wait((process.child.exited,), timeout=_GRACE)
        process.child.close()
        return process.info

    async def write(self, name: str, data: str) -> None:
        """Write to its input. Raises `EnvironmentFault` when nobody reads there any more."""
        process, _ = self._find(name)
        rest = memoryview(data.encode("utf-8", "replace"))
        deadline = self._clock() + _WRITE_PATIENCE
        while rest:
            if process.feed is None:
                raise EnvironmentFault(f"{name} has ended or takes no input.")
            try:
                rest = rest[os.write(process.feed, rest) :]
            except BlockingIOError:
                if self._clock() > deadline:
                    raise EnvironmentFault(
                        f"{name} does not read its input; {len(rest)} bytes were not written."
                    ) from None
                await _writable(process.feed, _WRITE_PATIENCE)
            except OSError as error:
                self._close_feed(process)
                raise EnvironmentFault(f"{name} takes no input any more: {error}.") from error

    async def close(self) -> None:
        """End all and forget them."""
        ending: list[Awaitable[ProcessInfo]] = [self.kill(name) for name in self._all]
        await asyncio.gather(*ending)
        for process in self._all.values():
            self._close_feed(process)
        self._all.clear()
        self._outputs.clear()

    def _find(self, name: str) -> tuple[_Process, Rolling]:
        self._forget_old()
        if name not in self._all:
            known = ", ".join(self._all) or "none"
            raise NotFoundError(
                f"There is no background process '{name}'.", hint=f"There are: {known}."
            )
        return self._all[name], self._outputs[name]

    def _ended(self, process: _Process) -> None:
        process.ended_at = self._clock()
        self._warden.forget(process.run)
        self._close_feed(process)
        info = process.info
        process.info = ProcessInfo(
            id=info.id,
            command=info.command,
            pid=info.pid,
            cwd=info.cwd,
            started_at=info.started_at,
            exit_code=process.child.exited.result(),
        )

    def _close_feed(self, process: _Process) -> None:
        if process.feed is not None:
            os.close(process.feed)
            process.feed = None

    def _forget_old(self) -> None:
        now = self._clock()
        for name, process in list(self._all.items()):
            if process.ended_at is not None and now - process.ended_at > _KEPT_SECONDS:
                self.forget(name)

    def make_room(self) -> None:
        """Forget a finished one if there are many. Raises `EnvironmentFault` if all run."""
        self._forget_old()
        if len(self._all) < _MOST:
            return
        finished = [name for name, process in self._all.items() if process.ended_at is not None]
        if not finished:
            raise EnvironmentFault(
                f"{_MOST} background processes are running.", hint="End one of them first."
            )
        self.forget(finished[0])

    def forget(self, name: str) -> None:
        """Follow it no more."""
        self._all.pop(name).child.close()
        del self._outputs[name]


async def _writable(descriptor: int, timeout: float) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(descriptor, lambda: ready.done() or ready.set_result(None))
    try:
        await asyncio.wait((ready,), timeout=timeout)
    finally:
        loop.remove_writer(descriptor)
