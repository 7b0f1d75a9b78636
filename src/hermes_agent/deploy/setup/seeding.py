"""auth.json: seeded once, then the agent's own."""

import stat

from hermes_agent.deploy.setup.handles import Folder, kind_of

AUTH = "auth.json"


def seed(home: Folder, data: bytes, mode: int, *, force: bool, warnings: list[str]) -> None:
    """Write it if there is none, or if `force` says so.

    Refreshed tokens live in this file: one that is there is not touched otherwise.
    """
    about = home.about(AUTH)
    if about is not None and not stat.S_ISREG(about.st_mode):
        warnings.append(f"{home.named(AUTH)} was {kind_of(about)}; it was replaced")
    elif about is not None and not force:
        return
    home.replace(AUTH, data, mode)
