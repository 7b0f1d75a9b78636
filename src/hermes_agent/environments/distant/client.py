"""A command in a distant place, as the client beside us shows it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

from hermes_agent.environments.child import EOT, Child, start
from hermes_agent.environments.distant.fence import Fence, Noise
from hermes_agent.environments.enclosure import Launch


class Client:
    """Like a `Child`, but of the process at the other end.

    It has ended when `command.sh` says so, although the client may live on because something over
    there still holds its output. `pid` is the one over there, 0 until `begun` resolves (to whether
    it ever began). `noise` is what the client said on its own account.
    """

    def __init__(self, fence: str, on_output: Callable[[bytes], None], *, where: str = "") -> None:
        loop = asyncio.get_running_loop()
        self.pid = 0
        self.exited: asyncio.Future[int] = loop.create_future()
        self.silent: asyncio.Future[None] = loop.create_future()
        self.begun: asyncio.Future[bool] = loop.create_future()
        self.noise = Noise()
        self.where = where
        self.word = ""
        self.there = ""
        self.finished = False
        self._on_output = on_output
        self._fence = Fence(fence, on_output=self._output, on_word=self._said)
        self._child: Child | None = None

    def start(self, launch: Launch, *, pty: bool, stdin: bool) -> int | None:
        """Start the client; gives the descriptor of its input. Raises `EnvironmentFault`."""
        child, feed = start(launch, self._fence.feed, pty=pty, stdin=stdin or pty, raw=True)
        self._child = child
        child.exited.add_done_callback(self._exited)
        child.silent.add_done_callback(lambda _: self._fall_silent())
        if not pty or stdin or feed is None:
            return feed
        # nobody will ever type here; before it begins, the terminal over there is not yet one
        self.begun.add_done_callback(lambda _: _end_input(feed))
        return None

    @property
    def client(self) -> int:
        """The pid of the client on this machine."""
        assert self._child is not None
        return self._child.pid

    def kill(self) -> None:
        """End the client itself. Not when it has ended: its number may be another's by now."""
        if self._child is not None and not self._child.exited.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)

    @property
    def gone(self) -> bool:
        """Whether the client has ended and closed its output."""
        child = self._child
        return child is None or (child.exited.done() and child.silent.done())

    def redirect(self, on_output: Callable[[bytes], None]) -> None:
        """Give what comes from now on to someone else."""
        self._on_output = on_output

    def close(self) -> None:
        """Stop reading."""
        if self._child is not None:
            self._child.close()

    def _output(self, data: bytes) -> None:
        if self.finished:
            return  # of who outlives the command
        if self.begun.done():
            self._on_output(data)
        else:
            self.noise.feed(data)

    def _said(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        if word == "begun" and not self.begun.done():
            self.pid = int(rest)
            self.begun.set_result(True)
        elif word in ("gone", "absent", "stale"):
            self.word, self.there = word, rest
        elif word == "ended":
            status, _, self.there = rest.partition(" ")
            self.word = word
            self.finished = True
            self._end(int(status))
            self._fall_silent()

    def _exited(self, done: "asyncio.Future[int]") -> None:
        # its last words may still be in the pipe
        assert self._child is not None
        if self._child.silent.done():
            self._end(done.result())
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(1.0, self._end, done.result())
            self._child.silent.add_done_callback(lambda _: self._end(done.result()))

    def _end(self, status: int) -> None:
        if not self.exited.done():
            self.exited.set_result(status)
        if not self.begun.done():
            self.begun.set_result(False)

    def _fall_silent(self) -> None:
        self._fence.finish()
        if not self.silent.done():
            self.silent.set_result(None)


def _end_input(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.write(descriptor, EOT)
    os.close(descriptor)
