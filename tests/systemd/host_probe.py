#!/usr/bin/python3 -I
"""Stands for the agent's `hermes`: says as whom and with what it was executed.

First argument `exit N`, `signal N`, `cat`, `wait`, `type`, `size` or `sizes` does that instead.
"""

import fcntl
import json
import os
import shutil
import signal
import stat
import sys
import termios

words = [os.fsencode(word).hex() for word in sys.argv[1:]]
doing = sys.argv[1:2]
if doing == ["exit"]:
    sys.exit(int(sys.argv[2]))
if doing == ["signal"]:
    os.kill(os.getpid(), int(sys.argv[2]))
if doing == ["wait"]:

    def leave(number: int, frame: object) -> None:
        sys.exit(42)

    signal.signal(signal.SIGINT, leave)
    print("waiting", flush=True)
    while True:
        signal.pause()
if doing == ["cat"]:
    shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)
    sys.exit()
if doing == ["size"]:
    print(*os.get_terminal_size())
    sys.exit()
if doing == ["sizes"]:

    def grown(number: int, frame: object) -> None:
        # Not print: the signal may come while one is at it.
        os.write(1, "{} {}\n".format(*os.get_terminal_size()).encode())
        sys.exit()

    signal.signal(signal.SIGWINCH, grown)
    print(*os.get_terminal_size(), flush=True)
    while True:
        signal.pause()
if doing == ["type"]:
    for number in (0, 1, 2):
        try:
            for sign in b"rm -rf /\n":
                fcntl.ioctl(number, termios.TIOCSTI, bytes([sign]))
        except OSError as error:
            print(f"refused on {number}: {error}")
    sys.exit()


def open_files() -> list[str]:
    own = f"/proc/{os.getpid()}/fd"
    found = {int(name): f"{own}/{name}" for name in os.listdir(own)}
    return [
        os.readlink(path) for number, path in found.items() if number > 2 and os.path.lexists(path)
    ]


def status(name: str) -> str:
    with open("/proc/self/status") as file:
        return next(line.split(":")[1].strip() for line in file if line.startswith(f"{name}:"))


mask = os.umask(0)
print(
    json.dumps(
        {
            "uids": os.getresuid(),
            "gids": os.getresgid(),
            "groups": os.getgroups(),
            "environ": dict(os.environ),
            "argv": words,
            "cwd": os.getcwd(),
            "umask": mask,
            "open": open_files(),
            "parent": os.getppid(),
            "privileges": status("NoNewPrivs"),
            "capabilities": [status(name) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")],
            "terminal": [os.isatty(number) for number in (0, 1, 2)],
            "stdin": stat.S_IFMT(os.fstat(0).st_mode),
        }
    )
)
