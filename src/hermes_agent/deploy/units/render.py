"""Unit files from their templates."""

import re
from pathlib import Path

import msgspec

from hermes_agent.deploy.units import quoting
from hermes_agent.deploy.units.service import Service

_PLACE = re.compile(r"@([A-Z]+)@")
_SINCE = re.compile(r"@(\d+)@(.*\n)")
_TEMPLATES = Path(__file__).with_name("templates")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit is made from. `search_path` is its PATH; `writable` counts in system units."""

    service: Service
    program: Path
    search_path: str
    writable: tuple[Path, ...] = ()


def systemd_unit(wanted: Wanted, *, version: int) -> str:
    """The unit file for a systemd of that version, which would grumble at settings it does not
    know. Raises `Unquotable`."""
    service = wanted.service
    kind = "system" if service.system else "user"
    text = _SINCE.sub(
        lambda found: found[2] if version >= int(found[1]) else "",
        _template(f"gateway-{kind}.service"),
    )
    values = {
        "NAME": service.name,
        "DESCRIBED": quoting.plain(str(service.hermes_home)),
        "PROGRAM": quoting.program(str(wanted.program)),
        "HOME": quoting.quoted(f"HERMES_HOME={service.hermes_home}"),
        "PATH": quoting.quoted(f"PATH={wanted.search_path}"),
        "USER": quoting.plain(service.account.name),
        "WRITABLE": " ".join(quoting.quoted(str(path)) for path in wanted.writable),
    }
    return _filled(text, values)


def launchd_plist(wanted: Wanted) -> str:
    """The property list for launchd; see launchd.plist(5). Raises `Unquotable`."""
    values = {
        "NAME": wanted.service.label,
        "PROGRAM": str(wanted.program),
        "HOME": str(wanted.service.hermes_home),
        "PATH": wanted.search_path,
    }
    return _filled(
        _template("ai.hermes.gateway.plist"),
        {name: quoting.xml(value) for name, value in values.items()},
    )


def _filled(text: str, values: dict[str, str]) -> str:
    return _PLACE.sub(lambda found: values[found[1]], text)


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")
