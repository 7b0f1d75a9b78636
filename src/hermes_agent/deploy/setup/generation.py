"""The generation: what is declared now, as one number."""

import hashlib
from collections.abc import Mapping

from hermes_agent.deploy import reading
from hermes_agent.deploy.spec import Specification


def of(
    spec: Specification, config: bytes | None, auth: bytes | None, documents: Mapping[str, bytes]
) -> str:
    """SHA-256 over the canonical specification and the files that it names, in hex.

    Secrets of environment files are not in it: they are read at every start.
    """
    digest = hashlib.sha256()
    named = {f"document {name}": data for name, data in sorted(documents.items())}
    parts = {"specification": reading.encode(spec), "config": config, "auth": auth, **named}
    for name, data in parts.items():
        if data is None:
            continue
        digest.update(f"{name}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
        digest.update(data)
    return digest.hexdigest()
