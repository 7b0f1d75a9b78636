"""The unit that seals the state directory when the machine starts, before anybody can log in.

What `sealing` does at each start of the service is gone after a boot, and what root of the
container left there would count until that service's first start. Sources: systemd.mount(5);
systemd.unit(5), "String escaping for inclusion in unit names".
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from hermes_agent.deploy.spec import Specification
from hermes_agent.deploy.units import quoting
from hermes_agent.deploy.units.service import SYSTEM_UNITS

_PLACE = re.compile(r"@([A-Z]+)@")
_TEMPLATE = Path(__file__).with_name("templates") / "state.mount"
_PLAIN = re.compile(rb"[A-Za-z0-9:_.]")


def unit(spec: Specification) -> str:
    """Its name, which systemd derives from the path."""
    parts = os.fsencode(spec.state_dir).strip(b"/").split(b"/")
    return "-".join(_escaped(part, first=not n) for n, part in enumerate(parts)) + ".mount"


def unit_file(spec: Specification) -> Path:
    """Where systemd looks for it."""
    return SYSTEM_UNITS / unit(spec)


def render(spec: Specification) -> str:
    """The unit file. Raises `Unquotable`."""
    values = {
        "NAME": spec.name,
        "STATE": quoting.bare(spec.state_dir),
        "OPTIONS": ",".join(_options(spec.state_dir)),
    }
    return _PLACE.sub(lambda found: values[found[1]], _TEMPLATE.read_text("utf-8"))


def installed(name: str) -> Iterator[Path]:
    """Those that `hermes deploy apply` wrote for this deployment, whatever its directory was."""
    beginning = _TEMPLATE.read_text("utf-8").partition("(@NAME@)")[0] + f"({name})"
    for path in sorted(SYSTEM_UNITS.glob("*.mount")):
        try:
            with path.open("rb") as file:
                found = file.read(len(beginning)) == beginning.encode()
        except OSError:
            continue
        if found:
            yield path


def _options(path: str) -> Iterator[str]:
    yield from ("bind", "nosuid", "nodev")
    place = Path(path)
    while not place.exists():
        place = place.parent
    # mount(8) would lift it: of a bind mount it sets the flags that are named, and no others.
    if os.statvfs(place).f_flag & os.ST_NOEXEC:
        yield "noexec"


def _escaped(part: bytes, *, first: bool) -> str:
    return "".join(
        chr(sign)
        if _PLAIN.fullmatch(bytes((sign,))) and not (first and not n and sign == ord("."))
        else f"\\x{sign:02x}"
        for n, sign in enumerate(part)
    )
