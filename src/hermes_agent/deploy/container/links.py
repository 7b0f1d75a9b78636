"""The links of a container's deployment: into the state directory, and the store's GC root."""

import os

from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.setup.handles import Folder
from hermes_agent.deploy.setup.way import enter, guarded
from hermes_agent.deploy.spec import Specification

MARKER = ".container-identity"


def in_state(spec: Specification) -> dict[str, str]:
    """Links for the state directory: what the container starts, and what keeps it, for people."""
    return {"current-package": spec.package, ".gc-root": spec.package}


def gc_root(spec: Specification) -> str | None:
    """The link that really keeps the package from garbage collection; None without a store."""
    return None if spec.gc_roots is None else f"hermes-agent-{spec.name}"


def write_gc_root(spec: Specification) -> None:
    """Make it lead to the package, at once. Raises `SetupFailed`."""
    name = gc_root(spec)
    if spec.gc_roots is None or name is None:
        return
    try:
        handle = enter(spec.gc_roots, owners=frozenset((0,)))
    except FileNotFoundError as error:
        raise SetupFailed(
            f"There is no folder {spec.gc_roots}, which gcRoots names",
            hint="It is /nix/var/nix/gcroots usually; without a Nix store leave gcRoots out.",
        ) from error
    with Folder(handle, spec.gc_roots) as folder:
        if not guarded(os.fstat(folder.handle), frozenset((0,))):
            raise SetupFailed(
                f"{spec.gc_roots} must belong to root and be writable by root alone",
                hint=f"chown root {spec.gc_roots} && chmod go-w {spec.gc_roots}",
            )
        folder.link(name, spec.package)
