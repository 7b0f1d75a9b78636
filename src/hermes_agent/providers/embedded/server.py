"""Find the warm server, or start one: one per person, shared by all commands."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path

from hermes_agent.domain.errors import ModelError
from hermes_agent.providers.embedded.address import Address, Meeting
from hermes_agent.providers.embedded.openmp import openmp_folder
from hermes_agent.providers.embedded.places import Places, private_folder
from hermes_agent.providers.embedded.runtime import require_runtime

IDLE = 600.0
START_LIMIT = 180.0

Say = Callable[[str], None]

_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR")


async def ensure_server(
    model: Path,
    *,
    context: int,
    idle: float = IDLE,
    places: Places | None = None,
    say: Say = lambda _: None,
) -> Address:
    """The address of a ready server for this GGUF; started, if need be, and waited for.

    `say` gets a line when there is something to wait for. Raises `ModelError`.
    """
    import asyncio

    places = places or Places.of()
    meeting = Meeting(private_folder(places.server))
    meeting.used.touch(0o600)
    found = meeting.address()
    if found and found.model == str(model):
        return found
    async with _starting(meeting, say):
        found = meeting.address()
        if found and found.model == str(model):
            return found
        if meeting.alive():
            await stop(places=places)
        say("Loading the basic offline model …")
        await asyncio.to_thread(_launch, model, context, idle, places, meeting)
        return await _ready(meeting, model)


async def stop(*, places: Places | None = None) -> bool:
    """End the server, if there is one. True when one was ended."""
    import asyncio

    meeting = Meeting((places or Places.of()).server)
    deadline = time.monotonic() + 10
    ended = False
    while meeting.alive():
        if found := meeting.holder():
            late = time.monotonic() > deadline - 5
            with contextlib.suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGKILL if late else signal.SIGTERM)
            ended = True
        if time.monotonic() > deadline:
            raise ModelError(
                "The offline model's server does not end",
                hint=f"The process that holds {meeting.lock} has to be ended by hand.",
            )
        await asyncio.sleep(0.05)
    return ended


def running(*, places: Places | None = None) -> Address | None:
    """The ready server, if there is one."""
    return Meeting((places or Places.of()).server).address()


@contextlib.asynccontextmanager
async def _starting(meeting: Meeting, say: Say) -> AsyncGenerator[None, None]:
    """One client at a time starts a server; the others wait, and find it started."""
    import asyncio

    descriptor = os.open(meeting.start_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + START_LIMIT
    told = False
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    say("Another command is loading the basic offline model …")
                    told = True
                if time.monotonic() > deadline:
                    raise ModelError(
                        "Another command is loading the offline model and does not finish",
                        hint=f"See {meeting.log}.",
                    ) from None
                await asyncio.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _launch(model: Path, context: int, idle: float, places: Places, meeting: Meeting) -> None:
    runtime = require_runtime(places)
    command = [
        *(sys.executable, "-P", "-m", "hermes_agent.providers.embedded.serve"),
        *("--model", str(model), "--folder", str(meeting.folder)),
        *("--context", str(context), "--idle", str(idle)),
        *(("--runtime", str(runtime)) if runtime else ()),
    ]
    launched = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        env=_environment(os.environ, openmp_folder(places)),
        check=False,
        timeout=60,
    )
    if launched.returncode:
        raise ModelError(
            f"The offline model's server did not start (exit {launched.returncode}): "
            + launched.stderr.decode(errors="replace").strip()[-500:],
            hint="Try `hermes model install local` again, or `hermes setup` for another model.",
        )


def _environment(environ: Mapping[str, str], libraries: Path | None) -> dict[str, str]:
    """What the server may see: no key of the person's is among it."""
    passed = {name: environ[name] for name in _PASSED_ON if name in environ}
    if libraries is not None:
        own = passed.get("LD_LIBRARY_PATH")
        passed["LD_LIBRARY_PATH"] = f"{libraries}:{own}" if own else str(libraries)
    return passed


async def _ready(meeting: Meeting, model: Path) -> Address:
    import asyncio

    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        if found := meeting.address():
            return found
        if not meeting.alive():
            raise ModelError(
                f"The offline model's server ended while it loaded {model}: {_tail(meeting.log)}",
                hint="If the file is broken or memory is short, `hermes model install local` "
                "fetches another size; `hermes setup` configures a provider.",
            )
        await asyncio.sleep(0.02)
    raise ModelError(f"The offline model was not ready within {START_LIMIT:.0f} s")


def _tail(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return " / ".join(lines[-3:])[-500:]
    return "nothing in its log"
