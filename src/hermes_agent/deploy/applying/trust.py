"""Whether root may run a package: nobody else can have changed what is in it."""

import os
import stat
from pathlib import Path

from hermes_agent.deploy.native.hardening import HIDDEN, below
from hermes_agent.deploy.spec import Specification
from hermes_agent.domain.errors import HermesError

STORES = ("/nix/store", "/gnu/store")
"""Root's, and never changed once something lies in them."""


class Untrusted(HermesError):
    """Somebody else could put other programs in the place of these."""


def require_package(spec: Specification) -> None:
    """`package` has `bin/hermes`; in a deployment of the machine, all of it and of the way to it
    is root's alone. Raises `Untrusted`, `HermesError`."""
    if not os.access(spec.program, os.X_OK):
        raise HermesError(
            f"package: there is no program {spec.program}",
            hint="package is the folder that has bin/hermes in it.",
        )
    if spec.scope == "user":
        return
    for path in (spec.package, *spec.extra_packages, *spec.package_roots):
        real = os.path.realpath(path)
        if not spec.container.enable and (below(real, HIDDEN) or below(path, HIDDEN)):
            raise Untrusted(
                f"{path} lies in a home directory, which the service does not see",
                hint="Install it where everybody can reach it, such as /opt/hermes.",
            )
        _require_way(path)
    _require_tree(os.path.realpath(spec.package))


def _require_tree(top: str) -> None:
    if below(top, STORES):
        return
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            path = f"{folder}/{name}"
            about = os.lstat(path)
            if stat.S_ISLNK(about.st_mode):
                if not os.path.realpath(path).startswith(f"{top}/"):
                    _require_way(path)
            else:
                _require_roots(path, about)


def _require_way(path: str) -> None:
    """Everything on the way, also on that which links take."""
    real = Path(os.path.realpath(path))
    for step in dict.fromkeys((Path(path), *Path(path).parents, real, *real.parents)):
        try:
            about = step.lstat()
        except OSError as error:
            raise HermesError(f"Cannot look at {step}: {error.strerror}") from error
        if not stat.S_ISLNK(about.st_mode):
            _require_roots(str(step), about)


def _require_roots(path: str, about: os.stat_result) -> None:
    loose = stat.S_IMODE(about.st_mode) & 0o022
    # What root has in a sticky directory stays root's.
    if loose and stat.S_ISDIR(about.st_mode) and about.st_mode & stat.S_ISVTX:
        loose = 0
    if about.st_uid == 0 and not loose:
        return
    why = f"may be written by others (mode {stat.S_IMODE(about.st_mode):04o})"
    if about.st_uid != 0:
        why = f"belongs to uid {about.st_uid}"
    raise Untrusted(
        f"{path} {why}, and the service's set-up runs the package as root",
        hint="Install the package as root, such as into /opt/hermes, writable by root alone.",
    )
