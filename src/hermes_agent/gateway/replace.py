"""`--replace`: the gateway that runs now makes way, and nothing is killed."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from hermes_agent.domain.errors import HermesError
from hermes_agent.gateway.lock import Holder, holder, lock_file
from hermes_agent.gateway.process import send

LIMIT = 180.0
LOOK = 0.1


def make_way(
    home: Path,
    *,
    say: Callable[[str], None],
    supervisor: Callable[[int], str | None],
    limit: float = LIMIT,
) -> None:
    """Ask the running gateway to drain, and wait for its lock to be free. `supervisor` names the
    service that runs a process, if one does.

    Raises `HermesError` where that gateway cannot be told from here, belongs to a service manager
    (which would start it again), or does not end in time.
    """
    found = holder(home)
    if found is None:
        return
    _require_ours(found, supervisor)
    say(f"Waiting for the running gateway ({found.described()}) to finish its turns …")
    send(found, signal.SIGTERM, having_open=lock_file(home))
    deadline = time.monotonic() + limit
    while holder(home) is not None:
        if time.monotonic() > deadline:
            raise HermesError(
                f"The running gateway ({found.described()}) has not ended in {limit:.0f} s.",
                hint="It goes on ending; try again later, or look at: hermes logs",
            )
        time.sleep(LOOK)


def _require_ours(found: Holder, supervisor: Callable[[int], str | None]) -> None:
    if not found.here or not found.pid:
        raise HermesError(
            f"The running gateway ({found.described()}) cannot be told to stop from here.",
            hint="Stop it where it runs.",
        )
    unit = supervisor(found.pid)
    if unit is not None and unit != supervisor(os.getpid()):
        raise HermesError(
            f"The running gateway ({found.described()}) belongs to {unit}, which would start it "
            "again.",
            hint="Use: hermes gateway restart",
        )
