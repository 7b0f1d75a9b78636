"""Which files of the host the agent can write to, as root sees it before a start."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator

from hermes_agent.deploy.spec import Specification


def writes(spec: Specification, path: str) -> bool:
    """Whether the agent can change what this file says.

    What confines it decides that, whoever the file's owner is: secrets managers give such files to
    the service's user. In a person's own deployment (`scope` user) the agent is that person, and
    nothing is kept from it.
    """
    if spec.scope == "user":
        return False
    real = os.path.realpath(path)
    if any(f"{real}/".startswith(f"{os.path.realpath(place)}/") for place in _places(spec)):
        return True
    if spec.container.enable or spec.hardening.enable:
        return False
    try:
        about = os.stat(real)  # noqa: PTH116  text
    except OSError:
        return False
    if about.st_mode & stat.S_IWOTH:
        return True
    try:
        theirs = about.st_uid == pwd.getpwnam(spec.user).pw_uid
        group = grp.getgrnam(spec.group).gr_gid
    except KeyError:
        return False
    return theirs or bool(about.st_mode & stat.S_IWGRP and about.st_gid == group)


def _places(spec: Specification) -> Iterator[str]:
    yield from (spec.state_dir, spec.workspace)
    for volume in spec.container.extra_volumes if spec.container.enable else ():
        parts = volume.split(":")
        if "ro" not in "".join(parts[2:]).split(","):
            yield parts[0]
