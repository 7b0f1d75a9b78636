"""The container mode of root's side: `hermes` is executed inside, by the container's engine."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from hermes_agent.deploy.host.registry import Deployment
from hermes_agent.domain.errors import ConfigError, EnvironmentFault, NotFoundError

SECONDS = 15
SEARCH_PATH = (
    "/run/wrappers/bin:/run/current-system/sw/bin"
    ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)
# The umask is not among what an engine can be told.
BECOMING = 'umask 0007; exec "$@"'
PROGRAM = "/data/current-package/bin/hermes"
_STATE = '{{.State.Status}} {{index .Config.Labels "hermes-agent.identity"}}'
# Ctrl-P, the engines' own choice, is for the history of the chat.
_DETACH = "ctrl-^,ctrl-]"


def execute(
    deployment: Deployment, environment: Mapping[str, str], argv: Sequence[str]
) -> NoReturn:
    """Execute `hermes` in the container of the deployment. Raises `HermesError`s.

    The variables travel in an anonymous file: the words of a command are for all to read.
    """
    program = _program(deployment)
    own = {"PATH": SEARCH_PATH, "HOME": "/root"}
    _check_running(deployment, program, own)
    fd = os.memfd_create("environment", 0)
    os.write(fd, _lines(environment))
    terminal = ["-t"] if os.isatty(0) and os.isatty(1) else []
    command = [
        *(program, "exec", "-i", *terminal, f"--detach-keys={_DETACH}"),
        *("-u", f"{deployment.uid}:{deployment.gid}", "-w", workspace_inside(deployment)),
        *(f"--env-file=/proc/self/fd/{fd}", deployment.name),
        *("/bin/sh", "-c", BECOMING, "hermes", PROGRAM, *argv),
    ]
    sys.stdout.flush()
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    os.execve(program, command, own)  # noqa: S606


def workspace_inside(deployment: Deployment) -> str:
    """The working directory as the container sees it."""
    below = deployment.workspace.removeprefix(f"{deployment.state}/")
    return deployment.workspace if below == deployment.workspace else f"/data/{below}"


def _program(deployment: Deployment) -> str:
    found = deployment.program or shutil.which(deployment.backend, path=SEARCH_PATH)
    if not found or not os.access(found, os.X_OK):
        raise NotFoundError(
            f"The agent {deployment.name} runs in a container, but {deployment.backend} is not"
            " installed",
        )
    return found


def _check_running(deployment: Deployment, program: str, own: Mapping[str, str]) -> None:
    ask = [program, "container", "inspect", f"--format={_STATE}", deployment.name]
    start = f"sudo systemctl start {deployment.name}"
    try:
        asked = subprocess.run(
            ask,
            env=own,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentFault(
            f"{deployment.backend} does not answer within {SECONDS} seconds",
            hint=f"Look at it: systemctl status {deployment.backend}",
        ) from error
    state, _, label = asked.stdout.strip().partition(" ")
    if asked.returncode != 0 or not state:
        said = " ".join(asked.stderr.split())[:300]
        raise EnvironmentFault(
            f"The agent's container {deployment.name} is not there: {said}",
            hint=f"Start the service: {start}",
        )
    if label in ("", "<no value>"):
        raise EnvironmentFault(
            f"The container {deployment.name} is not the agent's: it has no label"
            " hermes-agent.identity",
            hint=f"Start the service, which puts it right: {start}",
        )
    if state == "paused":
        raise EnvironmentFault(
            f"The agent's container {deployment.name} is paused",
            hint=f"Go on with it: sudo {deployment.backend} unpause {deployment.name}",
        )
    if state != "running":
        raise EnvironmentFault(
            f"The agent's container {deployment.name} is not running ({state})",
            hint=f"Start the service: {start}",
        )


def _lines(environment: Mapping[str, str]) -> bytes:
    """As the engines read them: a line is a variable, nothing is quoted."""
    broken = [name for name, value in environment.items() if re.search(r"[\r\n\0]", value)]
    if broken:
        raise ConfigError(f"The variable {broken[0]} has a line break, which no container takes")
    lines = (f"{name}={value}\n" for name, value in environment.items())
    return "".join(lines).encode("utf-8", "surrogateescape")
