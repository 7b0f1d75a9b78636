"""Which deployment `hermes` means; None stands for the caller's own home.

- HERMES_HOME leads to a registered home: that one. It leads elsewhere: the caller's own, unless
  the folder belongs to a service's user, for what an agent has written is not read as a person.
- No HERMES_HOME, and `~/.hermes` leads to a registered home: that one.
- Otherwise the one deployment with `command`. Someone who is not of its group and has a
  `~/.hermes` keeps it: another person's deployment must not take away an agent that worked.
- Two deployments with `command`: the caller has to say which.
"""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hermes_agent.deploy.host.registry import Deployment
from hermes_agent.domain.errors import DeniedError, UsageError


class Caller(NamedTuple):
    """Who runs `hermes`. `home` is their home directory, empty if they have none."""

    uid: int
    groups: frozenset[int]
    home: str

    @classmethod
    def present(cls, environ: Mapping[str, str] = os.environ) -> "Caller":
        """Whoever runs this process."""
        home = os.path.expanduser(environ.get("HOME") or "~")  # noqa: PTH111
        return cls(
            os.getuid(),
            frozenset((*os.getgroups(), os.getgid())),
            home if home.startswith("/") else "",
        )

    def belongs_to(self, deployment: Deployment) -> bool:
        """Root, the service's user and the members of its group."""
        return self.uid in (0, deployment.uid) or deployment.gid in self.groups


def choose(
    deployments: Sequence[Deployment], caller: Caller, environ: Mapping[str, str]
) -> Deployment | None:
    """The deployment that is meant. Raises `UsageError` where two are, `DeniedError`."""
    named = environ.get("HERMES_HOME", "").strip()
    if named:
        return _at(os.path.abspath(os.path.expanduser(named)), deployments, caller)  # noqa: PTH100, PTH111
    own = f"{caller.home}/.hermes" if caller.home else ""
    found = _at(own, deployments, caller) if own else None
    if found is not None:
        return found
    meant = [each for each in deployments if each.command]
    mine = [each for each in meant if each.uid == caller.uid]
    if len(mine) == 1:
        return mine[0]
    if own and os.path.isdir(own) and not any(caller.belongs_to(each) for each in meant):  # noqa: PTH112
        return None
    if len(meant) > 1:
        names = " and ".join(each.name for each in meant)
        ways = "\n  ".join(f"HERMES_HOME={each.home} hermes …   # {each.name}" for each in meant)
        raise UsageError(
            f"hermes may mean several deployments here: {names}", hint=f"Say which:\n  {ways}"
        )
    return meant[0] if meant else None


def _at(path: str, deployments: Sequence[Deployment], caller: Caller) -> Deployment | None:
    here = _identity(path)
    for each in deployments:
        if here is not None and here[:2] in ((each.device, each.inode), _identity(each.home, 2)):
            return each
        # Somebody who may not enter the state directory can only go by the name.
        if _resolved(path) == _resolved(each.home):
            return each
    for each in deployments:
        if here is not None and here[2] == each.uid and caller.uid != each.uid:
            raise DeniedError(
                f"{path} belongs to {each.user}, as whom the agent {each.name} runs; what it may"
                " have written there is not used as your own",
                hint=f"HERMES_HOME={each.home} is that agent's home.",
            )
    return None


def _resolved(path: str) -> str:
    try:
        return os.path.realpath(path)
    except OSError:  # a link that may not be read
        return path


def _identity(path: str, parts: int = 3) -> tuple[int, ...] | None:
    try:
        about = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return (about.st_dev, about.st_ino, about.st_uid)[:parts]
