"""Who the service runs as."""

import grp
import os
import pwd

import msgspec

from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.spec import Specification


class Account(msgspec.Struct, frozen=True):
    """The service user; `groups` are all that the service will be in."""

    user: str
    group: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def resolve(spec: Specification) -> Account:
    """The account that the specification means. Raises `SetupFailed`."""
    if spec.scope == "user":
        return _caller()
    if os.geteuid() != 0:
        raise SetupFailed(
            f"{spec.name} is a deployment of the whole system; only root can set it up",
            hint="Run it with sudo, or declare scope: user.",
        )
    try:
        user = pwd.getpwnam(spec.user)
    except KeyError as error:
        raise SetupFailed(
            f"There is no user {spec.user}",
            hint=f"{_making(spec)} useradd --system"
            f" --gid {spec.group} --home-dir {spec.state_dir} --no-create-home"
            f" --shell /usr/sbin/nologin {spec.user}",
        ) from error
    try:
        group = grp.getgrnam(spec.group)
    except KeyError as error:
        raise SetupFailed(
            f"There is no group {spec.group}",
            hint=f"{_making(spec)} groupadd --system {spec.group}",
        ) from error
    if user.pw_uid == 0:
        raise SetupFailed(
            f"The service cannot run as {spec.user}: what the agent does must not be root's doing",
            hint="Declare another user; hermes is the usual one.",
        )
    groups = os.getgrouplist(user.pw_name, group.gr_gid)
    return Account(user.pw_name, group.gr_name, user.pw_uid, group.gr_gid, tuple(groups))


def _caller() -> Account:
    uid, gid = os.geteuid(), os.getegid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    try:
        group = grp.getgrgid(gid).gr_name
    except KeyError:
        group = str(gid)
    return Account(name, group, uid, gid, tuple(os.getgroups()))


def _making(spec: Specification) -> str:
    if spec.manager == "nixos":
        return "Set createUser = true, declare it in configuration.nix, or run:"
    return "Run:"
