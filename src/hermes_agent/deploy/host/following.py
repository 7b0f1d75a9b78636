"""A program that an engine executes in a container, followed from outside.

The engine's client goes away at a signal and leaves the program behind. So the client is a child,
and what would end it is passed on to the program itself, found by a mark in its environment.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

MARK = "HERMES_HOST_COMMAND"
"""The variable whose value, good for one command, is known to that command alone."""

_PASSED_ON = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)


def follow(
    command: Sequence[str],
    environment: Mapping[str, str],
    mark: str,
    *,
    terminal: bool,
    files: Sequence[int],
) -> NoReturn:
    """Run the engine's client until it ends; end as it ends.

    With a `terminal` the client carries keys and sizes over by itself. Without one it gets no
    signals from the terminal, which are for the program inside.
    """
    client = subprocess.Popen(
        command, env=environment, pass_fds=files, start_new_session=not terminal
    )

    def pass_on(number: int, _frame: object) -> None:
        reached = [_signal(pid, number) for pid in _marked(mark)]
        if not any(reached):
            client.send_signal(number)

    for number in _PASSED_ON:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, pass_on)
    status = client.wait()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status & 0xFF)


def _marked(mark: str) -> Iterator[int]:
    """The processes with the mark, but for the children of such."""
    wanted = f"{MARK}={mark}".encode()
    found: dict[int, int] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208
        if not name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            with open(f"/proc/{name}/environ", "rb") as file:  # noqa: PTH123
                if wanted not in file.read().split(b"\0"):
                    continue
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                found[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
    return (pid for pid, parent in found.items() if parent not in found)


def _signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
