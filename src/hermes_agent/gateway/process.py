"""Which process: a pid means something only in its PID namespace, and while the process lives.

Linux tells all of this in /proc (proc(5)); elsewhere the pid alone is known.
"""

import os
import re
import signal
import sys
from pathlib import Path

import msgspec

_CONTAINER = re.compile(
    # Docker and Podman mount /etc/hostname from a folder named after the container; cgroup
    # names have the id where the container shares the host's cgroup namespace.
    r"(?:containers/|docker[-/]|libpod-)([0-9a-f]{64})\b"
)


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process, told apart from all others there ever were. Empty values are unknown.

    `start_ticks` is field 22 of /proc/PID/stat, in clock ticks since boot; `pid_namespace` an
    inode number; `container` the id that Docker or Podman gave.
    """

    pid: int = 0
    start_ticks: int | None = None
    boot_id: str = ""
    pid_namespace: int | None = None
    container: str = ""

    @property
    def here(self) -> bool:
        """Whether its pid names that very process to us.

        The boot's id does not count: containers make one up, and not all of their processes see
        the same. It is there to be read.
        """
        if self.pid <= 0 or self.pid_namespace != _pid_namespace():
            return False
        return self.start_ticks == start_ticks(self.pid)


def this_process() -> Process:
    """Ourselves."""
    pid = os.getpid()
    return Process(
        pid=pid,
        start_ticks=start_ticks(pid),
        boot_id=_boot_id(),
        pid_namespace=_pid_namespace(),
        container=_container(),
    )


def start_ticks(pid: int) -> int | None:
    """When that process began; None where it is gone or nobody can say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return None
    # The name stands in brackets and may contain any character, brackets too.
    fields = stat.rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 else None


def send(process: Process, number: signal.Signals, *, having_open: Path) -> bool:
    """Signal that very process, if it has the file open; whether it was signalled.

    The open file is the proof: what is written down about a process can be written by anyone who
    may write to the home, and root must not kill what a stranger names. Raises `PermissionError`.
    """
    if not process.here:
        return False
    if not sys.platform.startswith("linux"):
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return False
        return True
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        # The handle holds on to one process; what is true of the pid now is true of that one.
        if start_ticks(process.pid) != process.start_ticks:
            return False
        if not _has_open(process.pid, having_open):
            return False
        signal.pidfd_send_signal(handle, number)
    except (ProcessLookupError, FileNotFoundError):
        return False
    finally:
        os.close(handle)
    return True


def _has_open(pid: int, path: Path) -> bool:
    about = path.stat()
    with os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            try:
                if os.path.samestat(entry.stat(), about):
                    return True
            except OSError:
                continue
    return False


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _pid_namespace() -> int | None:
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return None


def _container() -> str:
    for name in ("mountinfo", "cgroup"):
        try:
            found = _CONTAINER.search(Path(f"/proc/self/{name}").read_text("utf-8", "replace"))
        except OSError:
            continue
        if found:
            return found[1]
    return ""
