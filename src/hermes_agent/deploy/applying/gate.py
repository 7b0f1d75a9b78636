"""How strong the gate before the agent's commands is, tried out as the service's user."""

import os
import pwd
import subprocess
from collections.abc import Mapping
from typing import Any, cast

from hermes_agent.deploy.native.hardening import COMMANDS_HERE
from hermes_agent.deploy.native.unit import search_path
from hermes_agent.deploy.spec import Specification

# As the environment bubblewrap begins its command lines.
_TRY = ("bwrap", "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-pid",
        "--unshare-ipc", "--die-with-parent", "--", "true")  # fmt: skip
_SECONDS = 10


def gate(spec: Specification, settings: Mapping[str, Any]) -> str | None:
    """A sentence; None where this caller cannot find out."""
    if spec.container.enable:
        return "the container: commands run in it beside the agent"
    terminal = settings.get("terminal")
    backend = (
        cast("dict[str, Any]", terminal).get("backend", "local")
        if isinstance(terminal, dict)
        else "local"
    )
    if backend not in COMMANDS_HERE:
        return f"commands run in another place ({backend})"
    try:
        account = pwd.getpwnam(spec.user) if spec.scope == "system" else pwd.getpwuid(os.geteuid())
    except KeyError:
        return None
    if os.geteuid() not in (0, account.pw_uid):
        return None
    why_not = _fails(account, search_path(spec))
    if why_not is None:
        return "bubblewrap: commands reach neither the secrets nor the daemon"
    return f"advisory: tools share the agent's uid ({why_not})"


def _fails(account: pwd.struct_passwd, path: str) -> str | None:
    other = os.geteuid() != account.pw_uid
    program = next(
        (f"{folder}/bwrap" for folder in path.split(":") if os.access(f"{folder}/bwrap", os.X_OK)),
        None,
    )
    if program is None:
        return "bubblewrap is not installed"
    try:
        tried = subprocess.run(
            (program, *_TRY[1:]),
            user=account.pw_uid if other else None,
            group=account.pw_gid if other else None,
            extra_groups=[] if other else None,
            env={"PATH": path},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
            # The agent may trace a process of its own user; from here it shall not reach the
            # terminal of whoever asks (TIOCSTI).
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if tried.returncode == 0:
        return None
    return (tried.stderr.strip() or f"status {tried.returncode}").splitlines()[-1]
