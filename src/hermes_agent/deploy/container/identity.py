"""What a container is made from, as one number: another number means another container."""

import hashlib
from typing import Any

import msgspec

from hermes_agent.deploy.container.inner import DATA, workspace
from hermes_agent.deploy.spec import Container, Specification

SCHEMA = 1
"""Counts up when containers are created in another way that the old ones cannot do without."""

_USUAL_STATE = "/var/lib/hermes"
_USUAL_ROOTS = ("/nix/store",)


def of(spec: Specification) -> str:
    """SHA-256 over what shapes the container, in hex.

    Settings, documents, arguments and the package are not in it: they come by the mounts. Of what
    else shapes it only what is not as usual counts, so that options which do not exist yet change
    nothing for those who do not use them.
    """
    container, usual = spec.container, Container()
    parts: dict[str, Any] = {
        "schema": SCHEMA,
        "image": container.image,
        "environment": spec.environment,
        "environmentFiles": spec.environment_files,
        "extraVolumes": container.extra_volumes,
        "extraOptions": container.extra_options,
    }
    others = {
        "network": (container.network, usual.network),
        "sudo": (container.sudo, usual.sudo),
        "stateDir": (spec.state_dir, _USUAL_STATE),
        "workingDirectory": (workspace(spec), f"{DATA}/workspace"),
        "packageRoots": (spec.package_roots, _USUAL_ROOTS),
    }
    parts |= {name: value for name, (value, default) in others.items() if value != default}
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()
