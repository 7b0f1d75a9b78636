"""A terminal of its own for a program of less right than the terminal's owner.

Whoever holds a terminal can put typed text into it, or read what is typed there after the program
ended. So the program gets another one, and the bytes are carried to and fro.
"""

import contextlib
import fcntl
import os
import select
import signal
import struct
import termios
import tty
from collections.abc import Callable
from typing import NoReturn

_FORWARDED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)
_NO_SIZE = struct.pack("HHHH", 0, 0, 0, 0)


def relay(start: Callable[[], object]) -> NoReturn:
    """Run `start`, which executes a program, in a terminal of its own; end as it ends.

    Each standard stream that is a terminal becomes the new one. If only the output is none, input
    is not read from the terminal either: it belongs to the next program of the pipe.
    """
    terminals = [stream for stream in (0, 1, 2) if os.isatty(stream)]
    outer = terminals[0]
    before = termios.tcgetattr(outer)
    master, slave = os.openpty()
    termios.tcsetattr(slave, termios.TCSANOW, before)
    _copy_size(outer, master)
    pid = os.fork()
    if pid == 0:
        _take(slave, master, terminals)
        start()
        os._exit(127)
    os.close(slave)
    reading = 0 if os.isatty(0) and os.isatty(1) else None
    try:
        if reading is not None:
            tty.setraw(outer, termios.TCSADRAIN)
        status = _carry(pid, master, reading, outer)
    finally:
        termios.tcsetattr(outer, termios.TCSADRAIN, before)
    _end_as(status)


def _take(slave: int, master: int, terminals: list[int]) -> None:
    os.close(master)
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    if 0 in terminals and 1 not in terminals:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        terminals = [stream for stream in terminals if stream != 0]
    for stream in terminals:
        os.dup2(slave, stream)
    if slave > 2:
        os.close(slave)


def _carry(pid: int, master: int, reading: int | None, outer: int) -> int:
    """Until the program has ended and said its last; returns its wait status."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    for number in (*_FORWARDED, signal.SIGWINCH, signal.SIGCHLD):
        signal.signal(number, lambda _number, _frame: None)
    status: int | None = None
    watched = [master, woken] if reading is None else [master, woken, reading]
    while True:
        ready, _, _ = select.select(watched, [], [], 0 if status is not None else None)
        if woken in ready:
            for number in os.read(woken, 100):
                _pass_on(number, pid, outer, master)
        if reading is not None and reading in ready:
            data = os.read(reading, 4096)
            if data:
                _write(master, data)
            else:
                watched.remove(reading)
                os.kill(pid, signal.SIGHUP)
        if master in ready:
            data = _read(master)
            if data:
                _write(outer if outer != 0 or not os.isatty(1) else 1, data)
            else:
                watched.remove(master)
        elif status is not None:
            return status
        if status is None:
            status = _ended(pid)
        if master not in watched:
            return status if status is not None else os.waitpid(pid, 0)[1]


def _pass_on(number: int, pid: int, outer: int, master: int) -> None:
    if number == signal.SIGWINCH:
        _copy_size(outer, master)
    elif number != signal.SIGCHLD:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)


def _ended(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return status if found else None


def _read(master: int) -> bytes:
    try:
        return os.read(master, 16384)
    except OSError:  # EIO: nobody has the other end open any more
        return b""


def _write(to: int, data: bytes) -> None:
    while data:
        data = data[os.write(to, data) :]


def _copy_size(source: int, target: int) -> None:
    with contextlib.suppress(OSError):
        size = fcntl.ioctl(source, termios.TIOCGWINSZ, _NO_SIZE)
        fcntl.ioctl(target, termios.TIOCSWINSZ, size)


def _end_as(status: int) -> NoReturn:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
