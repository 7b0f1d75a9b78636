"""A started program: its output as it comes, and its end.

`asyncio.create_subprocess_exec` makes a transport, three protocols and, on Python 3.11, a thread
for every child. Here a child costs one pipe and one pidfd in the loop.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import struct
import subprocess
import termios
import tty
from collections.abc import Callable

from hermes_agent.domain.errors import EnvironmentFault
from hermes_agent.environments.enclosure import Launch

_CHUNK = 65_536
_ROWS, _COLUMNS = 40, 120
EOT = b"\x04"


class Child:
    """A running program, leader of a session of its own. Needs a running loop.

    `exited` resolves to the exit status (-N for signal N), `silent` when nobody holds the
    output open any more. `on_output` is called with every piece of output until then.
    """

    def __init__(
        self, popen: "subprocess.Popen[bytes]", output: int, on_output: Callable[[bytes], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._popen = popen
        self._output = output
        self._on_output = on_output
        self.pid = popen.pid
        self.exited: asyncio.Future[int] = self._loop.create_future()
        self.silent: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(output, self._read)
        self._watch()

    def redirect(self, on_output: Callable[[bytes], None]) -> None:
        """Give what comes from now on to someone else."""
        self._on_output = on_output

    def close(self) -> None:
        """Stop reading. Who still writes gets SIGPIPE, or SIGHUP from a terminal."""
        if not self.silent.done():
            self._loop.remove_reader(self._output)
            os.close(self._output)
            self.silent.set_result(None)

    def _read(self) -> None:
        try:
            data = os.read(self._output, _CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:  # how a terminal says that nobody is at its other end
                raise
            data = b""
        if data:
            self._on_output(data)
        else:
            self.close()

    def _watch(self) -> None:
        if not hasattr(os, "pidfd_open"):
            waiting = self._loop.run_in_executor(None, self._popen.wait)
            waiting.add_done_callback(lambda done: self.exited.set_result(done.result()))
            return
        pidfd = os.pidfd_open(self.pid)

        def ended() -> None:
            status = self._popen.poll()
            if status is not None:
                self._loop.remove_reader(pidfd)
                os.close(pidfd)
                self.exited.set_result(status)

        self._loop.add_reader(pidfd, ended)


def start(
    launch: Launch,
    on_output: Callable[[bytes], None],
    *,
    pty: bool = False,
    stdin: bool = False,
    raw: bool = False,
) -> tuple[Child, int | None]:
    """Start a program; also gives the descriptor to write its input to, if it has one.

    Without `stdin` it reads end-of-file. A `raw` terminal hands everything on as it comes, to
    another terminal behind it. Raises `EnvironmentFault`.
    """
    if pty:
        return _start_in_terminal(launch, on_output, stdin=stdin, raw=raw)
    reading, writing = os.pipe()
    try:
        popen = _spawn(launch, subprocess.PIPE if stdin else subprocess.DEVNULL, writing)
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    os.set_blocking(reading, False)
    feed = None
    if popen.stdin is not None:
        feed = os.dup(popen.stdin.fileno())
        popen.stdin.close()
        os.set_blocking(feed, False)
    return Child(popen, reading, on_output), feed


def _start_in_terminal(
    launch: Launch, on_output: Callable[[bytes], None], *, stdin: bool, raw: bool
) -> tuple[Child, int | None]:
    ours, theirs = os.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        settings = termios.tcgetattr(theirs)
        settings[1] &= ~termios.ONLCR  # else every line of output ends in two characters
        termios.tcsetattr(theirs, termios.TCSANOW, settings)
        if raw:
            tty.setraw(theirs)
        popen = _spawn(launch, theirs, theirs)
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    os.set_blocking(ours, False)
    feed = os.dup(ours)
    if not stdin:
        with contextlib.suppress(OSError):
            os.write(feed, EOT)  # nobody will ever type here
        os.close(feed)
        feed = None
    return Child(popen, ours, on_output), feed


def _spawn(launch: Launch, stdin: int, output: int) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            launch.argv,
            bufsize=0,
            stdin=stdin,
            stdout=output,
            stderr=output,
            cwd=launch.cwd,
            env=launch.variables,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        if error.filename == launch.cwd:
            raise EnvironmentFault(f"The working directory {launch.cwd} does not exist.") from error
        raise EnvironmentFault(
            f"{os.fsdecode(launch.argv[0])} is not installed.", hint="Install it and try again."
        ) from error
    except (NotADirectoryError, PermissionError) as error:
        what = "working directory" if error.filename == launch.cwd else "program"
        raise EnvironmentFault(f"The {what} {error.filename} cannot be used: {error}.") from error
    except OSError as error:
        if error.errno == errno.E2BIG:
            raise EnvironmentFault(
                "The command and its variables are too long for the system.",
                hint="Write the long part to a file first.",
            ) from error
        raise EnvironmentFault(f"The command could not be started: {error}.") from error
    except ValueError as error:
        raise EnvironmentFault(f"The command could not be started: {error}.") from error
