"""The unit file of a deployment in native mode.

Sources: systemd.service(5), systemd.exec(5) ("Credentials", "Sandboxing").
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hermes_agent.deploy.native import hardening
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.spec import Specification
from hermes_agent.deploy.units import quoting
from hermes_agent.deploy.units.quoting import Unquotable

MARK = "# Written by: hermes deploy apply"
"""How the unit files begin that are ours to replace and remove."""

CREDENTIAL = "settings."
"""Before the dotted key in a credential's name."""

_PLACE = re.compile(r"@([A-Z]+)@")
_TEMPLATES = Path(__file__).with_name("templates")
_CREDENTIAL = re.compile(r"[A-Za-z0-9._-]{1,240}")
_DIRECTIVE = re.compile(r"[A-Z][A-Za-z0-9]*")
_USUAL = (
    "/run/wrappers/bin",
    "/run/current-system/sw/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
)


def render(
    spec: Specification,
    places: Places,
    settings: Mapping[str, Any],
    *,
    user_namespaces: bool = True,
) -> str:
    """The unit file. `settings` is the declaration, also where it comes from `config_file`;
    `user_namespaces` says whether the machine has any.

    Raises `Unquotable`.
    """
    confined = hardening.directives(spec, settings, user_namespaces=user_namespaces)
    values = {
        "NAME": spec.name,
        "HERMES": _program(spec.program),
        "SPECIFICATION": quoting.quoted(str(places.specification)),
        "ENVIRONMENT": quoting.bare(str(places.environment)),
        "ARGUMENTS": "".join(f" {quoting.quoted(word)}" for word in spec.extra_args),
        "USER": quoting.plain(spec.user),
        "GROUP": quoting.plain(spec.group),
        "WORKSPACE": quoting.bare(spec.workspace),
        "PATH": quoting.quoted(f"PATH={search_path(spec)}"),
        "CREDENTIALS": "\n".join(_credentials(spec.secrets)),
        "RESTART": spec.restart,
        "SECONDS": str(spec.restart_sec),
        "CONFINED": "\n".join(_confined(spec, confined)),
    }
    template = (_TEMPLATES / f"native-{spec.scope}.service").read_text("utf-8")
    text = _PLACE.sub(lambda found: values[found[1]], template)
    return re.sub(r"\n\n\n+", "\n\n", text)


def search_path(spec: Specification) -> str:
    """PATH of the service and of the agent's commands.

    Nothing in it can be written by the agent, for the service itself looks for bwrap and git here.
    """
    folders = [*(f"{package}/bin" for package in spec.extra_packages), f"{spec.package}/bin"]
    for folder in folders:
        if os.pathsep in folder:
            raise Unquotable(f"PATH cannot hold {folder}: there is a colon in it")
    return os.pathsep.join(dict.fromkeys((*folders, *_USUAL)))


def _confined(spec: Specification, found: hardening.Directives) -> Iterator[str]:
    plain, bound = hardening.writable(spec)
    # May be missing, for these two count for the set-up too, which makes the directories.
    yield from (f"ReadWritePaths={quoting.quoted('-' + path)}" for path in plain)
    yield from (f"BindPaths={_bindable('-' + path)}" for path in bound)
    for name, value in sorted(found.items()):
        if not _DIRECTIVE.fullmatch(name):
            raise Unquotable(f"hardening.settings: {name!r} is not the name of a directive")
        for line in _lines(value):
            if not line.isprintable() or line.endswith("\\"):
                raise Unquotable(f"hardening.settings.{name}: {line!r} is no value for a unit file")
            yield f"{name}={line}"


def _lines(value: hardening.Value) -> Iterable[str]:
    if isinstance(value, bool):
        return ("yes" if value else "no",)
    if isinstance(value, (list, tuple)):
        return value
    return (str(value),)


def _credentials(secrets: Mapping[str, str]) -> Iterator[str]:
    for key, path in sorted(secrets.items()):
        if not _CREDENTIAL.fullmatch(key):
            raise Unquotable(
                f"secrets: systemd takes no credential called {key!r}",
                hint="Keys of secrets may have letters, digits, '.', '_' and '-'; for others"
                " use environmentFiles.",
            )
        yield f"LoadCredential={CREDENTIAL}{key}:{quoting.bare(path)}"
        # In place of a file that is missing: so the set-up starts, and can say which one. What it
        # holds is as good as nothing.
        yield f"SetCredential={CREDENTIAL}{key}:\\n"


def _program(path: str) -> str:
    # Without the colon: the line has one already, or is that of env.
    return quoting.program(path).removeprefix(":")


def _bindable(path: str) -> str:
    if ":" in path:
        raise Unquotable(f"No unit can be written for {path}: there is a colon in it")
    return quoting.quoted(path)
