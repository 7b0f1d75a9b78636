"""What a process uses now, as the kernel counts it (proc(5))."""

from pathlib import Path


def memory(pid: int | str = "self") -> float:
    """Resident memory in MB."""
    return _status(pid, "VmRSS") * 1024 / 1e6


def threads(pid: int | str = "self") -> int:
    """How many threads run."""
    return _status(pid, "Threads")


def descriptors(pid: int | str = "self") -> int:
    """How many descriptors are open, those of this very question left out."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()) - (pid == "self")


def children(pid: int | str = "self") -> int:
    """How many processes it has started that are not waited for."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(len((task / "children").read_text().split()) for task in tasks.iterdir())


def cpu(pid: int | str = "self") -> float:
    """Processor time so far in seconds, of all threads that live, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


def _status(pid: int | str, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0])
    raise KeyError(field)
