"""Run inside the confined service: tries what it should and should not be able to do."""

import ctypes
import errno
import json
import os
import socket
import subprocess
import time
from pathlib import Path

HOME = Path.home()
LIBC = ctypes.CDLL(None, use_errno=True)


def called(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), "refused")


def setuid() -> None:
    path = HOME / "setuid"
    path.touch()
    path.chmod(0o4755)


def bubblewrap() -> None:
    subprocess.run(
        ["bwrap", *"--bind / / --dev /dev --proc /proc --unshare-pid --unshare-ipc true".split()],
        check=True,
    )


def status(name: str) -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))


ATTEMPTS = {
    "write its HERMES_HOME": lambda: Path(os.environ["HERMES_HOME"], "x").write_text("x"),
    "write its user's home": lambda: (HOME / "x").write_text("x"),
    "write /tmp": lambda: Path("/tmp/probe").write_text("x"),
    "run bubblewrap": bubblewrap,
    "write another's file that all may write": lambda: Path("/home/other").write_text("x"),
    "write /etc": lambda: Path("/etc/x").write_text("x"),
    "write /var/lib": lambda: Path("/var/lib/x").write_text("x"),
    "write /usr": lambda: Path("/usr/x").write_text("x"),
    "make a setuid file": setuid,
    "open a raw socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "mount": lambda: called(LIBC.mount(b"none", b"/mnt", b"tmpfs", 0, None)),
    "change the host's name": lambda: called(LIBC.sethostname(b"x", 1)),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "load a module": lambda: called(LIBC.syscall(175, None, 0, b"")),
}


def attempt(name: str) -> str:
    try:
        ATTEMPTS[name]()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    except subprocess.CalledProcessError as error:
        return str(error)
    return "done"


found = {name: attempt(name) for name in ATTEMPTS}
found |= {"capabilities": status("CapBnd"), "no new privileges": status("NoNewPrivs")}
written = Path(os.environ["HERMES_HOME"], "probe.new")
written.write_text(json.dumps(found))
written.rename(written.with_name("probe.json"))
