"""Whether a process is paused, as the kernel says: cgroups(7), freezer of both versions."""

from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")


def paused(pid: int) -> bool:
    """Whether its control group is frozen; False where that cannot be seen."""
    if pid <= 0:
        return False
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return False
    for line in lines:
        _, controllers, path = line.split(":", 2)
        inside = path.lstrip("/")
        if controllers == "freezer":
            if _says(_MOUNT / "freezer" / inside / "freezer.state", "FROZEN"):
                return True
        elif controllers == "":
            for mount in (_MOUNT, _MOUNT / "unified"):
                if _says(mount / inside / "cgroup.events", "frozen 1"):
                    return True
    return False


def _says(path: Path, line: str) -> bool:
    try:
        return line in path.read_text().splitlines()
    except OSError:
        return False
