"""Docker or Podman, by its command line: what is asked and told as argument lists.

Sources: docker-create(1), docker-start(1), docker-inspect(1), podman-create(1), podman-start(1).
Nothing here is secret: arguments are for all to read.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from hermes_agent.deploy.container.defaults import defaults
from hermes_agent.deploy.container.errors import (
    EngineDown,
    EngineMissing,
    EngineRefused,
    EngineTooOld,
)
from hermes_agent.deploy.container.found import NAME, Found, described, there
from hermes_agent.deploy.spec import Container

SECONDS = 60.0
"""So long an engine may think about a question."""
TICK = 5.0
EXITS = Path("/run/libpod/exits")
"""Where Podman looks for how a container of root's ended."""
SEARCH_PATH = (
    "/run/wrappers/bin:/run/current-system/sw/bin"
    ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)
_NOT_FOR_ENGINES = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "CREDENTIALS_DIRECTORY")
_LONGEST = 600

Tick = Callable[[], None]


class Engine:
    """One engine's command line. All that asks or tells raises `EnvironmentFault`s."""

    def __init__(self, backend: str, program: str, environ: Mapping[str, str]) -> None:
        self.backend = backend
        self.program = program
        # Podman would hand the service manager's socket into the container.
        self._environ = {k: v for k, v in environ.items() if k not in _NOT_FOR_ENGINES}

    @classmethod
    def of(cls, container: Container, environ: Mapping[str, str] = os.environ) -> "Engine":
        """The one that is declared. Raises `EngineMissing`."""
        path = environ.get("PATH") or SEARCH_PATH
        program = container.program or shutil.which(container.backend, path=path)
        if not program or not os.access(program, os.X_OK):
            named = container.program or container.backend
            raise EngineMissing(
                f"The container engine {named} is not installed",
                hint="Install it, declare container.backend = the other one (docker, podman), or"
                " container.program = the path of its command.",
            )
        return cls(container.backend, program, {"PATH": SEARCH_PATH, **environ})

    def require_usable(self) -> None:
        """That it answers and is new enough. Raises `EngineDown`, `EngineTooOld`."""
        side = "Server" if self.backend == "docker" else "Client"
        done = self._run("version", "--format", f"{{{{.{side}.Version}}}}")
        said = done.stdout.strip()
        if done.returncode != 0 or not said:
            raise self._down(_words(done))
        oldest = defaults().oldest[self.backend]
        if _numbers(said) < _numbers(oldest):
            raise EngineTooOld(
                f"{self.backend} is of version {said}; {oldest} or newer is needed",
                hint=f"Upgrade {self.backend}, or declare the other container.backend.",
            )

    def named(self, name: str) -> Found | None:
        """The container of that name."""
        return self._only(f"name=^/?{name}$" if self.backend == "docker" else f"name=^{name}$")

    def labelled(self, name: str) -> list[Found]:
        """All containers that were made for the deployment of that name."""
        return self._listed(f"label={NAME}={name}")

    def inspect(self, container: str) -> Found | None:
        """A container by its id; None if it is gone."""
        done = self._run("container", "inspect", container)
        if done.returncode != 0:
            ids = self._run("ps", "--all", "--quiet", "--no-trunc", "--filter", f"id={container}")
            if ids.returncode != 0:
                raise self._down(_words(ids))
            return None if not ids.stdout.strip() else self._unreadable(_words(done))
        try:
            return described(done.stdout)
        except msgspec.DecodeError as error:
            return self._unreadable(str(error))

    def has_image(self, image: str) -> bool:
        """Whether it need not be pulled."""
        return self._run("image", "inspect", "--format", "{{.Id}}", image).returncode == 0

    def create(self, arguments: Sequence[str], tick: Tick) -> str:
        """`create` with these arguments, which may pull; the container's id."""
        process = subprocess.Popen(
            [self.program, "create", *arguments],
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        with process:
            try:
                while True:
                    try:
                        out, err = process.communicate(timeout=TICK)
                        break
                    except subprocess.TimeoutExpired:
                        tick()
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            raise EngineRefused(
                f"{self.backend} cannot create the container: {_plain(err)}", hint=self._way(err)
            )
        return out.strip().splitlines()[-1]

    def attach(self, container: str) -> "subprocess.Popen[bytes]":
        """Start it; what it says goes where we speak. The process ends with the container."""
        proxy = ["--sig-proxy=false"] if self.backend == "podman" else []
        return subprocess.Popen(
            [self.program, "start", "--attach", *proxy, container],
            env=self._environ,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stopping(self, container: str, seconds: int) -> "subprocess.Popen[bytes]":
        """Tell it to end, and kill it after so many seconds."""
        return subprocess.Popen(
            [self.program, "stop", f"--time={seconds}", container],
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self, container: Found, seconds: int, tick: Tick) -> None:
        """The same, and wait for it."""
        if container.unwatched:
            self._end(container)
            return
        with self.stopping(container.id, seconds) as process:
            while True:
                try:
                    process.wait(TICK)
                    break
                except subprocess.TimeoutExpired:
                    tick()
        if process.returncode != 0:
            raise EngineRefused(f"{self.backend} cannot stop the container {container.name}")

    def _end(self, container: Found) -> None:
        """End one whose monitor was killed; to be told to end would leave it `stopping` for ever.

        What the monitor would have left is a file with the exit status (conmon(8), --exit-dir).
        """
        self._run("kill", "--signal=SIGKILL", container.id)
        until = time.monotonic() + SECONDS
        while there(container.pid) and time.monotonic() < until:
            time.sleep(0.05)
        with contextlib.suppress(OSError):
            (EXITS / container.id).write_text(str(128 + signal.SIGKILL))
        self._run("container", "cleanup", container.id)

    def remove(self, container: str) -> None:
        """Away with it, and with the volumes that nobody named."""
        self._do("remove", "rm", "--force", "--volumes", container)

    def rename(self, container: str, name: str) -> None:
        """Call it so."""
        self._do("rename", "rename", container, name)

    def unpause(self, container: str) -> None:
        """Let it go on."""
        self._do("unpause", "unpause", container)

    def signal(self, container: str, name: str) -> None:
        """Send a signal to its first process, which passes it on."""
        self._do("signal", "kill", f"--signal={name}", container)

    def _only(self, filter_: str) -> Found | None:
        found = self._listed(filter_)
        return found[0] if found else None

    def _listed(self, filter_: str) -> list[Found]:
        done = self._run("ps", "--all", "--quiet", "--no-trunc", "--filter", filter_)
        if done.returncode != 0:
            raise self._down(_words(done))
        found = (self.inspect(container) for container in done.stdout.split())
        return [each for each in found if each is not None]

    def _do(self, what: str, *arguments: str) -> None:
        done = self._run(*arguments)
        if done.returncode != 0:
            raise EngineRefused(
                f"{self.backend} cannot {what} the container {arguments[-1]}: {_words(done)}",
                hint=self._way(done.stderr),
            )

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                [self.program, *arguments],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise self._down(f"no answer within {SECONDS:.0f} s") from error
        except OSError as error:
            raise EngineMissing(f"Cannot run {self.program}: {error.strerror}") from error

    def _down(self, said: str) -> EngineDown:
        if self.backend == "docker":
            hint = "Start it: systemctl start docker. Is it meant to be Podman? Declare"
            return EngineDown(
                f"Docker does not answer: {said}", hint=f'{hint} container.backend = "podman".'
            )
        return EngineDown(f"Podman does not work: {said}", hint="Look at it: podman info")

    def _unreadable(self, said: str) -> Found:
        raise EngineDown(f"{self.backend} says nothing useful about the container: {said}")

    def _way(self, said: str) -> str:
        if "no space left" in said.lower():
            return "Make room on the disk of the engine's storage; nothing was lost."
        if "catatonit" in said or "docker-init" in said or "container-init" in said:
            return "The engine's init is missing. On Debian: apt-get install catatonit tini"
        return "Look at container.extraOptions, container.extraVolumes and container.image."


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _words(done: "subprocess.CompletedProcess[str]") -> str:
    return _plain(done.stderr) or _plain(done.stdout) or f"status {done.returncode}"


def _plain(text: str) -> str:
    flat = " ".join(text.split())
    return "".join(c if c.isprintable() else "?" for c in flat)[-_LONGEST:]
