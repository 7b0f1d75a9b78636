"""The container mode of root's side: `hermes` is executed inside, by the container's engine."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from hermes_agent.deploy.host.following import MARK, follow
from hermes_agent.deploy.host.registry import Deployment
from hermes_agent.domain.errors import EnvironmentFault, NotFoundError

SECONDS = 15
SEARCH_PATH = (
    "/run/wrappers/bin:/run/current-system/sw/bin"
    ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)
# Neither umask nor an addition to PATH is among what an engine can be told.
BECOMING = """umask 0007
export PATH="$HOME/.venv/bin:$HOME/.local/bin:$PATH"
exec "$@"
"""
PROGRAM = "/data/current-package/bin/hermes"
_STATE = '{{.State.Status}} {{index .Config.Labels "hermes-agent.identity"}}'
# Ctrl-P, the engines' own choice, is for the history of the chat.
_DETACH = "ctrl-^,ctrl-]"


def execute(
    deployment: Deployment, environment: Mapping[str, str], argv: Sequence[str]
) -> NoReturn:
    """Execute `hermes` in the container of the deployment. Raises `HermesError`s.

    The variables travel in an anonymous file, for the words of a command are for all to read; those
    of several lines, which such a file cannot hold, in the engine's own environment.
    """
    program = _program(deployment)
    own = {"PATH": SEARCH_PATH, "HOME": "/root"}
    _check_running(deployment, program, own)
    mark = secrets.token_hex(16)
    variables = {**environment, MARK: mark}
    several = {name: value for name, value in variables.items() if "\n" in value}
    lines = "".join(f"{k}={v}\n" for k, v in variables.items() if k not in several)
    fd = os.memfd_create("environment", 0)
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(lines.encode("utf-8", "surrogateescape"))
    terminal = os.isatty(0) and os.isatty(1)
    command = [
        *(program, "exec", "-i", *(["-t"] if terminal else []), f"--detach-keys={_DETACH}"),
        *("-u", f"{deployment.uid}:{deployment.gid}", "-w", workspace_inside(deployment)),
        *(f"--env-file=/proc/self/fd/{fd}", *(f"--env={name}" for name in several)),
        deployment.name,
        *("/bin/sh", "-c", BECOMING, "hermes", PROGRAM, *argv),
    ]
    sys.stdout.flush()
    follow(command, {**several, **own}, mark, terminal=terminal, files=(fd,))


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
