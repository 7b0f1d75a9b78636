"""Whether root may run a package: nobody else can have changed what is in it."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from hermes_agent.deploy.native.hardening import HIDDEN, below
from hermes_agent.deploy.spec import Specification
from hermes_agent.domain.errors import HermesError

_MOST_BYTES = 65536
_PATHS = "lib*/python*/site-packages/*.pth"
# "#!/path", and what pip writes where that would be too long: a shell that executes it.
_INTERPRETER = re.compile(rb"\A#!\s*(/[^\s\"]+)|^'''exec' \"?(/[^\s\"]+)", re.MULTILINE)

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
    for path in _led_to(spec):
        _require_way(path)
        if os.path.isdir(path):  # noqa: PTH112  text
            _require_tree(os.path.realpath(path))


def _led_to(spec: Specification) -> Iterator[str]:
    """What the package itself has Python run from elsewhere: the interpreter of its program, and
    folders on its path, such as the checkout of an editable installation (site(3))."""
    for found in _INTERPRETER.finditer(_beginning(spec.program)):
        yield os.fsdecode(found[1] or found[2])
    for file in Path(os.path.realpath(spec.package)).glob(_PATHS):
        for line in _beginning(str(file)).splitlines():
            path = os.fsdecode(line.strip())
            if path.startswith("/") and os.path.lexists(path):
                yield path
            elif path.startswith("import ") and "__editable__" in path:
                raise Untrusted(
                    f"{file} makes Python load an editable installation from elsewhere",
                    hint="Install the program itself: pip install without -e, uv sync with"
                    " --no-editable.",
                )


def _beginning(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123  text
        return file.read(_MOST_BYTES)


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
    # What root's own group may write is root's; Python makes such folders under a umask of 007.
    loose = stat.S_IMODE(about.st_mode) & (0o002 if about.st_gid == 0 else 0o022)
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
