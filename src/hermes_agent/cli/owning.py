"""Whose home it is: what another user writes there, the agent itself could not read."""

import os
import pwd

from hermes_agent.config.paths import Paths
from hermes_agent.domain.errors import HermesError


def as_the_homes_owner() -> None:
    """Raises `HermesError` where this process is another user than the home's own."""
    home = Paths.of().home
    try:
        owner = home.stat().st_uid
    except OSError:
        return
    if owner == os.geteuid():
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    raise HermesError(
        f"{home} belongs to {name}; only that user may change what is in it.",
        hint=f"Run the same command as {name}: sudo -u '{name}' …",
    )
