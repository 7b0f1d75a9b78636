"""The unit of a deployment, in whichever mode, and where it stands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hermes_agent.deploy.native import unit as native
from hermes_agent.deploy.native.hardening import has_user_namespaces
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.spec import Specification
from hermes_agent.deploy.units.service import SYSTEM_UNITS


def render(spec: Specification, places: Places, settings: Mapping[str, Any]) -> str:
    """The unit file. Raises `Unquotable`."""
    if spec.container.enable:
        from hermes_agent.deploy.container import unit as container

        return container.render(spec, places)
    found = has_user_namespaces()
    return native.render(spec, places, settings, user_namespaces=found)


def unit_file(spec: Specification, environ: Mapping[str, str]) -> Path:
    """Where systemd looks for it."""
    if spec.scope == "system":
        return SYSTEM_UNITS / spec.unit
    config = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(config) / "systemd" / "user" / spec.unit


def is_ours(path: Path) -> bool:
    """Whether `hermes deploy apply` wrote it."""
    try:
        with path.open("rb") as file:
            return file.read(len(native.MARK)) == native.MARK.encode()
    except OSError:
        return False
