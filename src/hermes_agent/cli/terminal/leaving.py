"""Leaving that nobody asked for: the terminal hangs up, the machine shuts down."""

import asyncio
import signal
import time
from collections.abc import Callable

from hermes_agent.cli.terminal.port import Terminal


class Leaving:
    """Turns SIGHUP and SIGTERM into an orderly end. `status` is the exit status for it."""

    def __init__(self, terminal: Terminal) -> None:
        self.status = 0
        self._terminal = terminal

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on."""
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        loop.add_signal_handler(signal.SIGTERM, self._terminated)

    def forget(self, loop: asyncio.AbstractEventLoop) -> None:
        """The chat is over; a signal that comes now ends the program as it does any other."""
        loop.remove_signal_handler(signal.SIGHUP)
        loop.remove_signal_handler(signal.SIGTERM)

    def _hung_up(self) -> None:
        self.status = 128 + signal.SIGHUP
        self._terminal.hang_up()

    def _terminated(self) -> None:
        self.status = 128 + signal.SIGTERM
        self._terminal.exit()


class Presses:
    """Counts presses that follow each other within two seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = float("-inf")

    def again(self) -> bool:
        """Whether this press follows another."""
        now = self._clock()
        repeated = now - self._last < 2.0
        self._last = now
        return repeated
