"""`--replace`: the gateway that runs now makes way, and nothing is killed."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from hermes_agent.domain.errors import HermesError
from hermes_agent.gateway.lock import Holder, holder

LIMIT = 180.0
LOOK = 0.1


def make_way(home: Path, *, say: Callable[[str], None], limit: float = LIMIT) -> None:
    """Ask the running gateway to drain, and wait for its lock to be free.

    Raises `HermesError` where that gateway cannot be told from here, belongs to a service manager
    (which would start it again), or does not end in time.
    """
    found = holder(home)
    if found is None:
        return
    _require_ours(found)
    say(f"Waiting for the running gateway ({found.described()}) to finish its turns …")
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + limit
    while holder(home) is not None:
        if time.monotonic() > deadline:
            raise HermesError(
                f"The running gateway ({found.described()}) has not ended in {limit:.0f} s.",
                hint="It goes on ending; try again later, or look at: hermes logs",
            )
        time.sleep(LOOK)


def _require_ours(found: Holder) -> None:
    if not found.here or not found.pid:
        raise HermesError(
            f"The running gateway ({found.described()}) cannot be told to stop from here.",
            hint="Stop it where it runs.",
        )
    if found.pid == os.getppid() or _is_supervised(found.pid):
        raise HermesError(
            f"The running gateway ({found.described()}) belongs to a service, which would start "
            "it again.",
            hint="Use: hermes gateway restart",
        )


def _is_supervised(pid: int) -> bool:
    """Whether a unit of systemd runs it: then its environment names the invocation."""
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        ours = os.environ.get("INVOCATION_ID", "").encode()
    except OSError:
        return False
    found = next((e for e in environ if e.startswith(b"INVOCATION_ID=")), b"")
    notify = any(e.startswith(b"NOTIFY_SOCKET=") for e in environ)
    return notify and found != b"INVOCATION_ID=" + ours
