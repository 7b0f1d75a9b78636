"""The service's user and group, made with the system's own programs (useradd(8), groupadd(8))."""

import grp
import os
import pwd
import shutil
import subprocess

from hermes_agent.deploy.spec import Specification
from hermes_agent.domain.errors import HermesError

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_SHELLS = ("/usr/sbin/nologin", "/sbin/nologin", "/usr/bin/nologin")


def missing(spec: Specification) -> list[list[str]]:
    """The commands that make what `create_user` asks for and is not there. None for a person's
    own deployment. Raises `HermesError` where the account may not be made."""
    if spec.scope == "user":
        return []
    commands: list[list[str]] = []
    if not _known(spec.group, group=True):
        commands.append(["groupadd", "--system", spec.group])
    if not _known(spec.user):
        shell = next((path for path in _SHELLS if os.access(path, os.X_OK)), "/bin/false")
        commands.append([
            "useradd", "--system", "--gid", spec.group, "--home-dir", spec.state_dir,
            "--no-create-home", "--shell", shell, spec.user,
        ])  # fmt: skip
    if commands and not spec.create_user:
        kind = "group" if commands[0][0] == "groupadd" else "user"
        name = spec.group if kind == "group" else spec.user
        raise HermesError(
            f"There is no {kind} {name}, and createUser is false",
            hint=f"Make it with: {' '.join(commands[0])}",
        )
    return commands


def make(commands: list[list[str]]) -> None:
    """Run them. Raises `HermesError`."""
    for command in commands:
        program = shutil.which(command[0], path=_PATH)
        if program is None:
            raise HermesError(
                f"{command[0]} is not installed",
                hint=f"Make the account {command[-1]} yourself, and set createUser = false.",
            )
        done = subprocess.run(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise HermesError(f"{' '.join(command)} failed: {done.stderr.strip()}")


def _known(name: str, *, group: bool = False) -> bool:
    try:
        if group:
            grp.getgrnam(name)
        else:
            pwd.getpwnam(name)
    except KeyError:
        return False
    return True
