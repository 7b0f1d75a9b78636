"""The service's process on the host: it makes the container run, and ends as the agent ends.

It tells systemd what the agent tells about itself, hands signals on and never holds a secret. If it
is killed the container runs on; the next start ends that agent properly before it begins anew.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Generator, MutableMapping
from pathlib import Path
from types import FrameType

from hermes_agent.deploy.container import freezer
from hermes_agent.deploy.container.defaults import defaults
from hermes_agent.deploy.container.engine import Engine
from hermes_agent.deploy.container.ensuring import Say, ensure
from hermes_agent.deploy.container.errors import ContainerGone, EngineRefused
from hermes_agent.deploy.container.found import Found
from hermes_agent.deploy.container.notices import Ear, Manager
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.setup import account as accounts
from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.spec import Specification

LOOK = 5.0
"""Seconds between looks at whether somebody paused the container."""
START_SECONDS = 180
"""So long the agent may take until it is ready."""
MARGIN = 30
REMOVAL = 2.0
"""Seconds for a container that was removed by force to be gone, after its processes."""
_FROM_OUTSIDE = (0, 128 + signal.SIGKILL, 128 + signal.SIGTERM)
_HANDED_ON = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_ENDING = (signal.SIGTERM, signal.SIGINT)


def run(spec: Specification, places: Places, environ: MutableMapping[str, str] = os.environ) -> int:
    """Until the agent ends; its exit status. Raises `EnvironmentFault`s, `ConfigError`s."""
    manager = Manager(environ.pop("NOTIFY_SOCKET", ""))
    watchdog = environ.pop("WATCHDOG_USEC", "")
    environ.pop("WATCHDOG_PID", None)
    with _leaving():
        account = accounts.resolve(spec)
        _require_prepared(places)
        engine = Engine.of(spec.container, environ)
        container = ensure(spec, places, account, engine, _teller(manager))
    with contextlib.closing(Ear(places.runtime / "notify", account.uid, account.gid)) as ear:
        _supervise(places, watchdog)
        manager.tell(
            f"EXTEND_TIMEOUT_USEC={START_SECONDS * 1_000_000}",
            f"STATUS=Starting the container {spec.name}",
        )
        return _Watch(engine, container, manager, ear).run()


class _Watch:
    """One life of the container, from its start to its end."""

    def __init__(self, engine: Engine, container: Found, manager: Manager, ear: Ear) -> None:
        self._engine = engine
        self._container = container
        self._manager = manager
        self._ear = ear
        self._status = ""
        self._paused = False
        self._now = container
        self._stopping: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Its exit status."""
        with _signals() as heard, selectors.DefaultSelector() as selector:
            selector.register(heard, selectors.EVENT_READ)
            selector.register(self._ear.socket, selectors.EVENT_READ)
            with self._engine.attach(self._container.id) as attached:
                while attached.poll() is None:
                    self._wait(selector)
                    self._pass_on()
                    for number in _received(heard):
                        self._hand_on(signal.Signals(number))
                    self._look(attached)
            if self._stopping is not None:
                self._stopping.wait()
            self._pass_on()
        return self._end()

    def _wait(self, selector: selectors.BaseSelector) -> None:
        rest = self._ear.rest
        if not rest:
            selector.select(LOOK)
            return
        selector.unregister(self._ear.socket)
        selector.select(min(rest, LOOK))
        selector.register(self._ear.socket, selectors.EVENT_READ)

    def _pass_on(self) -> None:
        for lines in self._ear.heard():
            for line in lines:
                if line.startswith("STATUS="):
                    self._status = line
            if not self._paused:
                self._manager.tell(*lines)

    def _hand_on(self, number: signal.Signals) -> None:
        if number in _ENDING:
            self._stop()
        elif number == signal.SIGABRT:
            # The watchdog's: an agent that hangs would not end when it is told to.
            with contextlib.suppress(EngineRefused):
                self._engine.signal(self._container.id, "SIGKILL")
        elif number in _HANDED_ON:
            with contextlib.suppress(EngineRefused):
                self._engine.signal(self._container.id, number.name)

    def _stop(self) -> None:
        seconds = defaults().stop_seconds
        if self._stopping is not None:
            # Told twice: the agent cuts its turns off, as it does on a terminal.
            with contextlib.suppress(EngineRefused):
                self._engine.signal(self._container.id, "SIGTERM")
            return
        if self._paused:
            with contextlib.suppress(EngineRefused):
                self._engine.unpause(self._container.id)
        self._manager.tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={(seconds + MARGIN) * 1_000_000}")
        self._stopping = self._engine.stopping(self._container.id, seconds)

    def _look(self, attached: "subprocess.Popen[bytes]") -> None:
        if self._now.pid == 0:
            self._now = self._engine.inspect(self._container.id) or self._container
        if self._now.unwatched and Path(f"/proc/{self._now.pid}").exists():
            self._engine.stop(self._now, 0, tick=lambda: None)
            attached.terminate()
            raise EngineRefused(
                f"Podman's process beside the container {self._container.name} (conmon) was killed",
                hint="The next start begins with the same container.",
            )
        paused = freezer.paused(self._now.pid)
        if paused:
            # Somebody did that on purpose; it is no agent that hangs.
            self._manager.tell(
                "WATCHDOG=1",
                f"STATUS=The container is paused; it goes on with: {self._engine.backend} unpause"
                f" {self._container.name}",
            )
        elif self._paused:
            self._manager.tell("WATCHDOG=1", self._status or "STATUS=")
        self._paused = paused

    def _left(self) -> Found | None:
        """The container after its end; None if it is gone, be it a moment later.

        `rm -f` ends it first and removes it then.
        """
        until = time.monotonic() + REMOVAL
        while True:
            found = self._engine.inspect(self._container.id)
            asked_for = self._stopping is not None or (
                found is not None and found.exit_status not in _FROM_OUTSIDE
            )
            if found is None or asked_for or time.monotonic() > until:
                return found
            time.sleep(0.1)

    def _end(self) -> int:
        found = self._left()
        if found is None:
            raise ContainerGone(
                f"The container {self._container.name} was removed while it ran",
                hint="The next start makes it anew; packages installed in it are lost.",
            )
        if found.alive:
            raise EngineRefused(
                f"{self._engine.backend} lost sight of the container {found.name}, which still runs"
            )
        if found.started == self._container.started:
            raise EngineRefused(
                f"The container {found.name} cannot be started"
                f"{f': {found.fault}' if found.fault else ''}",
                hint="What the engine says about it stands above. Look at container.extraOptions,"
                " container.extraVolumes and container.image.",
            )
        if found.out_of_memory:
            sys.stderr.write(f"hermes: memory ran out in the container {found.name}\n")
        return found.exit_status


def _teller(manager: Manager) -> Say:
    last = START_SECONDS * 1_000_000

    def say(text: str) -> None:
        manager.tell(f"EXTEND_TIMEOUT_USEC={last}")
        if text:
            manager.status(text)
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    return say


def _require_prepared(places: Places) -> None:
    if not (places.runtime / "entrypoint").is_file():
        raise SetupFailed(
            f"There is no {places.runtime}/entrypoint",
            hint="It is made by: hermes deploy prepare, which the service runs before each start.",
        )


def _supervise(places: Places, watchdog: str) -> None:
    """Tell the entrypoint what systemd told us."""
    lines = "NOTIFY_SOCKET=/run/hermes/notify\n"
    if watchdog.isascii() and watchdog.isdigit():
        lines += f"WATCHDOG_USEC={watchdog}\n"
    path = places.runtime / "supervisor"
    path.write_text(lines)
    path.chmod(0o644)


@contextlib.contextmanager
def _leaving() -> Generator[None]:
    """A signal to end leaves at once, while nothing of the agent runs yet."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _signals() -> Generator[int]:
    """A descriptor from which the numbers of signals are read."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    numbers = (*_ENDING, *_HANDED_ON, signal.SIGABRT, signal.SIGCHLD)
    before = {number: signal.signal(number, lambda _n, _f: None) for number in numbers}
    old = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _received(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b""
