"""The unit file of a deployment in container mode. Sources: systemd.service(5), sd_notify(3)."""

import re
from pathlib import Path

from hermes_agent.deploy.container import state_mount
from hermes_agent.deploy.container.defaults import defaults
from hermes_agent.deploy.container.engine import SEARCH_PATH
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.spec import Specification
from hermes_agent.deploy.units import quoting

MARGIN = 30
_PLACE = re.compile(r"@([A-Z]+)@")
_TEMPLATE = Path(__file__).with_name("templates") / "container.service"


def render(spec: Specification, places: Places) -> str:
    """The unit file. Raises `Unquotable`."""
    docker = spec.container.backend == "docker"
    values = {
        "NAME": spec.name,
        "HERMES": quoting.program(spec.program).removeprefix(":"),
        "SPECIFICATION": quoting.quoted(str(places.specification)),
        "PATH": quoting.quoted(f"PATH={spec.package}/bin:{SEARCH_PATH}"),
        "AFTER": "network-online.target docker.service" if docker else "network-online.target",
        "MOUNT": state_mount.unit(spec),
        "REQUIRES": "Requires=docker.service" if docker else "",
        "STOP": str(defaults().stop_seconds + MARGIN),
        "RESTART": spec.restart,
        "SECONDS": str(spec.restart_sec),
    }
    text = _PLACE.sub(lambda found: values[found[1]], _TEMPLATE.read_text("utf-8"))
    return text.replace("\n\n\n", "\n\n").replace("\n\n[Service]", "\n\n[Service]")
