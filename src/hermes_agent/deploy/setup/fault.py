"""A fault of the configuration, handed on from root's part of a start to the service itself.

systemd heeds RestartPreventExitStatus= for the main process alone (systemd.service(5)): were the
set-up to fail for a wrong setting, it would be started again for ever. So it leaves the sentence
for the service, and that ends with the status that means: starting again will not help.
"""

import os
import re
from pathlib import Path

import msgspec

from hermes_agent.config import dotenv
from hermes_agent.config.files import write_atomically
from hermes_agent.config.variables import DEPLOY_FAULT
from hermes_agent.deploy.places import Places, Roots
from hermes_agent.domain.errors import ConfigError, HermesError

_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
_MOST_BYTES = 8 * 1024 * 1024
_LONGEST = 4000


def hand_on(file: Path, error: ConfigError) -> bool:
    """Leave the fault for the service that this specification describes, when it is the service
    manager that asks; whether that was possible."""
    name = _name(file)
    if name is None or os.getppid() != 1 or os.geteuid() != 0:
        return False
    places = Places(Roots(), name)
    said = f"{error.message} {error.hint or ''}".strip()[:_LONGEST]
    line = dotenv.format_line(DEPLOY_FAULT, said)
    try:
        places.runtime.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_atomically(places.environment, line.encode("utf-8", "replace"), 0o600)
    except (OSError, HermesError):
        return False
    return True


def raise_handed_on(places: Places) -> None:
    """Raises `ConfigError` where root's part left a fault."""
    said = dotenv.read(places.environment).get(DEPLOY_FAULT)
    if said:
        raise ConfigError(said)


class _Named(msgspec.Struct):
    name: str = "hermes-agent"
    scope: str = "system"


def _name(file: Path) -> str | None:
    """The deployment's name, also where the rest of the specification makes no sense."""
    try:
        with file.open("rb") as opened:
            raw = msgspec.json.decode(opened.read(_MOST_BYTES), type=_Named)
    except (OSError, msgspec.DecodeError):
        return None
    return raw.name if raw.scope != "user" and _NAME.fullmatch(raw.name) else None
