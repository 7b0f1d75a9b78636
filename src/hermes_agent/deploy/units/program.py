"""Which `hermes` a unit starts: one that is still there after an upgrade and a garbage collection.

A virtual environment keeps its place when it is upgraded, so its own `bin/hermes` is good. A Nix
store path is not: it is another one after each upgrade, and the old one is collected. There the
link in a profile (`~/.nix-profile/bin/hermes`, `/run/current-system/sw/bin/hermes`) is taken as it
stands on PATH, not resolved: the profile moves, and the next start is the new version.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from hermes_agent.domain.errors import HermesError

PROGRAM = "hermes"
STORES = ("/nix/store/", "/gnu/store/")
PASSING = ("/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/")  # noqa: S108  places not to be used


class NoLastingProgram(HermesError):
    """There is no `hermes` that a service could rely on."""


def lasting_program(environ: Mapping[str, str] = os.environ, *, prefix: str = sys.prefix) -> Path:
    """The path for ExecStart. Raises `NoLastingProgram`."""
    own = Path(prefix) / "bin" / PROGRAM
    stored = f"{own}".startswith(STORES)
    for folder in environ.get("PATH", "").split(os.pathsep):
        found = Path(folder) / PROGRAM
        if not _lasts(found) or not os.access(found, os.X_OK):
            continue
        # Of several on PATH only the one that runs now is meant; in a store the link leads to a
        # wrapper round it, so that they cannot be compared.
        if stored or os.path.realpath(found) == os.path.realpath(own):
            return found
    if _lasts(own) and os.access(own, os.X_OK):
        return own
    raise NoLastingProgram(
        f"The hermes that runs now ({own}) will not stay where it is",
        hint="Install it for good (nix profile install, uv tool install, pipx), then try again.",
    )


def search_path(program: Path, home: Path, user: str, environ: Mapping[str, str]) -> str:
    """PATH for the service: the program's folder, the person's own, those of NixOS, the usual.

    Services inherit no login's PATH. Of the person's present one, what lies in the home directory
    stays (nvm, cargo and the like); store paths and passing places do not.
    """
    own = [
        folder
        for folder in environ.get("PATH", "").split(os.pathsep)
        if _lasts(Path(folder)) and folder.startswith(f"{home}/")
    ]
    folders = [
        str(program.parent),
        *own,
        f"{home}/.local/bin",
        f"{home}/.nix-profile/bin",
        f"/etc/profiles/per-user/{user}/bin",
        "/nix/var/nix/profiles/default/bin",
        "/run/wrappers/bin",
        "/run/current-system/sw/bin",
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
    ]
    return os.pathsep.join(dict.fromkeys(folders))


def _lasts(path: Path) -> bool:
    return path.is_absolute() and not str(path).startswith((*STORES, *PASSING))
