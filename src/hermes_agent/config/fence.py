"""What the files in HERMES_HOME may not decide: its variables, and the gate of a declared home.

The agent's own user may write there; in a declared home neither it nor what it was talked into may
let strangers in, or lift what stands before its commands.
"""

from collections.abc import Mapping
from typing import Any, cast

from hermes_agent.config import dotenv, merge
from hermes_agent.config.managed import Managed
from hermes_agent.config.normalise import Remark
from hermes_agent.config.override import is_gate
from hermes_agent.config.paths import Paths
from hermes_agent.config.reading import KeyPath
from hermes_agent.config.variables import credential_in_env_file, forbidden_in_env_file


def env_file(
    paths: Paths, environ: Mapping[str, str], managed: Managed | None, remarks: list[Remark]
) -> dict[str, str]:
    """What `.env` sets; `remarks` gets what it may not. `environ` is the inherited environment.

    Where a declaration manages the home, `.env` adds keys of services that the environment does
    not have, and nothing else. Raises `ConfigError`.
    """
    found = dotenv.read(paths.env_file)
    declared = managed is not None and managed.settings is not None
    for name, value in list(found.items()):
        if forbidden_in_env_file(name):
            text = f"{name} is ignored: .env may not set it"
        elif declared and not credential_in_env_file(name):
            text = f"{name} in .env is ignored: here .env can add keys of services only"
        elif declared and name in environ:
            text = f"{name} in .env is ignored: the environment that is declared has it"
        else:
            continue
        del found[name]
        if value != environ.get(name):
            remarks.append(Remark("refused", name, text))
    return found


def take_gates(
    data: dict[str, Any], declared: Mapping[str, Any], at: KeyPath = ()
) -> list[KeyPath]:
    """Take what decides about the agent out of a layer; returns the keys of which the declaration
    says nothing, so that what stood there is lost."""
    gone: list[KeyPath] = []
    for key, value in list(data.items()):
        path = (*at, key)
        if isinstance(value, dict) and value:
            gone += take_gates(cast("dict[str, Any]", value), declared, path)
            if not value and is_gate(path):
                del data[key]  # part of it is no setting
        elif is_gate(path):
            del data[key]
            try:
                merge.at(declared, path)
            except KeyError:
                gone.append(path)
    return gone
