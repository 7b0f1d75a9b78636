"""Run one command and print what it cost: `launch.py OUTPUT COMMAND…`, a program of its own.

A child's peak memory is never less than that of the process it was spawned from (the kernel
counts the moment before exec), so the one that spawns has to be small: run with `-I -S`.
Prints JSON: `cpu` and `wall` in seconds, `peak` in KiB, `status`. CPU and peak are those of the
command and of every process that it waited for.
"""

import os
import sys
import time

WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def main() -> None:
    """Spawn, wait, print."""
    output, *command = sys.argv[1:]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, output, WRITE, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, f"{output}.err", WRITE, 0o600),
    ]
    began = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    cpu = used.ru_utime + used.ru_stime
    code = os.waitstatus_to_exitcode(status)
    print(f'{{"cpu": {cpu}, "wall": {wall}, "peak": {used.ru_maxrss}, "status": {code}}}')


main()
