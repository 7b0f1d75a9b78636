"""The caller's side: `hermes` of a registered home is executed again, as its service's user.

sudo is given one program of root's, with allow-listed variables and the caller's words as they
are. Where that does not work nothing is run instead: a sentence says what is missing.
"""

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from hermes_agent.deploy.host import registry, variables
from hermes_agent.deploy.host.choosing import Caller, choose
from hermes_agent.deploy.host.registry import Deployment
from hermes_agent.domain.errors import DeniedError, HermesError

DOORS = ("/usr/local/libexec/hermes-agent/enter", "/run/current-system/sw/libexec/hermes-agent")
"""Where the root-owned programs may lie, each named as its deployment."""
SUDO = ("/run/wrappers/bin/sudo", "/usr/bin/sudo", "/usr/local/bin/sudo", "/bin/sudo")
INSIDE = "/run/hermes/entrypoint"
"""There in our containers only."""


class NoDoor(HermesError):
    """The way from this person to the service's user is not there."""


def detour(argv: Sequence[str]) -> None:
    """Execute this command line as the right user; returns only if that is the caller.

    `deploy` administers the machine and reads no home, so it stays with whoever runs it. Raises
    `HermesError`s.
    """
    if argv[:1] == ["deploy"] or list(argv) in (["--help"], ["-h"]):
        return
    completing = "_HERMES_COMPLETE" in os.environ
    try:
        caller = Caller.present()
        found = choose(registry.deployments(), caller, os.environ)
        if found is None:
            return
        if _goes_on(found, caller):
            os.environ["HERMES_HOME"] = found.home
            return
        cross(found, caller, argv)
    except HermesError:
        if completing:  # whoever presses Tab has not asked yet
            sys.exit(1)
        raise


def cross(deployment: Deployment, caller: Caller, argv: Sequence[str]) -> NoReturn:
    """Become the service's user by way of root. Raises `HermesError`s."""
    carried = variables.carried(os.environ)
    if caller.uid == 0:
        from hermes_agent.deploy.host.entering import enter

        enter(deployment, carried, argv, inside=_is_inside(deployment))
    pairs = [word for pair in carried.items() for word in ("--env", "=".join(pair))]
    command = [*_way(deployment, caller), *pairs, "--", *argv]
    sys.stdout.flush()
    # Python ignores it, and what is executed would inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606


def _goes_on(deployment: Deployment, caller: Caller) -> bool:
    if caller.uid != deployment.uid:
        return False
    return not deployment.container or _is_inside(deployment)


def _is_inside(deployment: Deployment) -> bool:
    return deployment.container and os.path.exists(INSIDE)  # noqa: PTH110


def _way(deployment: Deployment, caller: Caller) -> list[str]:
    sudo = next((path for path in SUDO if os.access(path, os.X_OK)), None)
    doors = (f"{folder}/{deployment.name}" for folder in DOORS)
    door = next((path for path in doors if os.access(path, os.X_OK)), None)
    if not caller.belongs_to(deployment) and not (sudo and door and _may(sudo, door)):
        raise _not_a_member(deployment, caller)
    if door is None:
        raise NoDoor(
            f"The agent {deployment.name} has no command for people on this machine",
            hint="Declare addToSystemPackages = true, and apply it.",
        )
    if sudo is None:
        raise NoDoor(
            f"{_told(deployment)} runs as the user {deployment.user}, whom one becomes by sudo;"
            " sudo is not installed",
            hint="Install sudo, or run hermes as root.",
        )
    return [sudo, "-n", "--", door]


def _may(sudo: str, door: str) -> bool:
    """Whether someone who is not of the group is allowed in all the same."""
    import subprocess

    asked = subprocess.run(
        [sudo, "-n", "-l", "--", door],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return asked.returncode == 0


def _not_a_member(deployment: Deployment, caller: Caller) -> DeniedError:
    import pwd

    try:
        who = pwd.getpwuid(caller.uid).pw_name
    except KeyError:
        who = f"user {caller.uid}"
    message = (
        f"{_told(deployment)} is for members of the group {deployment.group}; {who} is not one"
    )
    if deployment.manager == "nixos":
        how = f'users.users.{who}.extraGroups = [ "{deployment.group}" ];'
    else:
        how = f"sudo usermod -aG {deployment.group} {who}"
    return DeniedError(
        message,
        hint=f"An administrator can add you: {how} (then log in again).\n"
        "  An agent of your own: HERMES_HOME=~/.hermes hermes",
    )


def _told(deployment: Deployment) -> str:
    from hermes_agent.config.managed import manager_named

    return f"The agent {deployment.name} (managed by {manager_named(deployment.manager).name})"
