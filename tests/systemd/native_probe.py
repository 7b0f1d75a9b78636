"""Run inside a confined service: tries what it should and should not be able to do.

Arguments: HERMES_HOME, the working directory, a file for the findings as JSON. Prints nothing.
"""

import ctypes
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HOME, WORKSPACE, FOUND = (Path(word) for word in sys.argv[1:])
Attempt = Callable[[], object]
LIBC = ctypes.CDLL(None, use_errno=True)
CALLS = {"init_module": 175, "kexec_load": 246, "bpf": 321, "perf_event_open": 298, "ptrace": 101,
         "swapon": 167, "reboot": 169, "open_by_handle_at": 304, "userfaultfd": 323}  # fmt: skip
NAMESPACES = {
    "user": 0x10000000, "mnt": 0x00020000, "pid": 0x20000000, "ipc": 0x08000000,
    "net": 0x40000000, "uts": 0x04000000, "cgroup": 0x02000000, "time": 0x00000080,
}  # fmt: skip


def called(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")


def in_child(what: Attempt) -> None:
    """In a process of its own, which it may spoil."""
    pid = os.fork()
    if pid == 0:
        try:
            what()
        except OSError as error:
            os._exit(error.errno or 255)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        raise OSError(status, "refused")


def unshare(name: str) -> None:
    in_child(lambda: called(LIBC.unshare(NAMESPACES["user"] | NAMESPACES[name])))


def setuid() -> None:
    path = WORKSPACE / "setuid"
    path.touch()
    path.chmod(0o4755)


def bubblewrap() -> None:
    words = "--bind / / --dev /dev --proc /proc --unshare-pid --unshare-ipc true"
    subprocess.run(["bwrap", *words.split()], check=True)


def inner_root() -> None:
    """Root of a namespace of its own, looking where only root may."""
    argv = ["unshare", "--user", "--map-root-user", "ls", "/run/hermes-agent/.proc"]
    if subprocess.run(argv, capture_output=True, check=False).returncode:
        raise OSError(errno.EACCES, "refused")


def writes(path: str) -> tuple[str, Attempt]:
    return f"write {path}", lambda: Path(path).write_text("x")


def reads(path: str) -> tuple[str, Attempt]:
    return f"read {path}", lambda: Path(path).read_bytes()


ATTEMPTS: dict[str, Attempt] = {
    "write its HERMES_HOME": lambda: (HOME / "x").write_text("x"),
    "write its working directory": lambda: (WORKSPACE / "x").write_text("x"),
    "write /tmp": lambda: Path("/tmp/probe").write_text("x"),
    "write /dev/shm": lambda: Path("/dev/shm/probe").write_text("x"),
    "run bubblewrap": bubblewrap,
    **dict(
        writes(path)
        for path in (
            "/etc/x", "/usr/x", "/var/lib/x", "/opt/open", "/etc/hermes-agent/homes/x.json",
            "/etc/systemd/system/x.service", "/home/x", "/root/x", "/run/x",
            "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper",
            "/sys/fs/cgroup/cgroup.procs", "/dev/kmsg",
        )
    ),
    **dict(
        reads(path)
        for path in (
            "/etc/shadow", "/etc/secrets/agent.env", "/run/hermes-agent/hermes-agent/environment",
            "/etc/hermes-agent/specifications/hermes-agent.json",
            "/var/lib/hermes-agent/hermes-agent.json",
            "/proc/1/environ", "/proc/kmsg", "/dev/mem",
        )
    ),
    "list /home": lambda: os.listdir("/home"),
    "list /run/hermes-agent/.proc": lambda: os.listdir("/run/hermes-agent/.proc"),
    "list it as root of a namespace": inner_root,
    **{f"unshare {name}": lambda name=name: unshare(name) for name in NAMESPACES},
    **{
        f"call {name}": lambda number=number: called(LIBC.syscall(number, 0, 0, 0, 0, 0))
        for name, number in CALLS.items()
    },
    "make a setuid file": setuid,
    "make a device": lambda: os.mknod(WORKSPACE / "device", 0o20600, os.makedev(1, 1)),
    "mount": lambda: called(LIBC.mount(b"none", b"/mnt", b"tmpfs", 0, None)),
    "chroot": lambda: os.chroot("/"),
    "become root": lambda: os.setresuid(0, 0, 0),
    "open a packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "open a raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "open a vsock": lambda: socket.socket(socket.AF_VSOCK),
    "listen below 1024": lambda: socket.create_server(("127.0.0.1", 81)).close(),
    "change the host's name": lambda: called(LIBC.sethostname(b"x", 1)),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "be real-time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "be another system": lambda: called(LIBC.personality(0x0008)),
    "signal the first process": lambda: os.kill(1, signal.SIGCONT),
}  # fmt: skip


def attempt(name: str) -> str:
    try:
        ATTEMPTS[name]()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    except subprocess.CalledProcessError as error:
        return str(error)
    return "done"


def status(name: str) -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))


def owners() -> list[int]:
    return sorted({os.stat(f"/proc/{name}").st_uid for name in os.listdir("/proc")
                   if name.isdigit()})  # fmt: skip


found: dict[str, object] = {name: attempt(name) for name in ATTEMPTS}
found |= {
    "capabilities": [status(name) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
    "no new privileges": status("NoNewPrivs"),
    "system calls filtered": status("Seccomp"),
    "owners of processes": owners(),
    "own": os.getuid(),
    "setuid program": subprocess.run(
        ["/opt/setuid-id", "-u"], capture_output=True, text=True, check=False
    ).stdout.strip(),
    "disks": [name for name in os.listdir("/dev") if name.startswith(("sd", "vd", "nvme", "fuse"))],
    "umask": f"{os.umask(0):04o}",
}
fresh = FOUND.with_suffix(".new")
fresh.write_text(json.dumps(found))
fresh.rename(FOUND)
