"""Where a deployment keeps what belongs to root; tests put the roots elsewhere."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from hermes_agent.deploy.spec import Specification


class Roots(msgspec.Struct, frozen=True):
    """`registry` is what the agent reads (managed layer), `records` what was applied last,
    `runtime` what lives until the next start."""

    registry: Path = Path("/etc/hermes-agent")
    records: Path = Path("/var/lib/hermes-agent")
    runtime: Path = Path("/run/hermes-agent")

    @classmethod
    def of_user(cls, environ: Mapping[str, str] = os.environ) -> "Roots":
        """Those of a deployment in a person's own account, where nothing belongs to root."""
        home = Path.home()
        state = Path(environ.get("XDG_STATE_HOME") or home / ".local/state")
        runtime = Path(environ.get("XDG_RUNTIME_DIR") or state)
        own = state / "hermes-agent"
        return cls(own / "registry", own / "records", runtime / "hermes-agent")


class Places(msgspec.Struct, frozen=True):
    """The files of one deployment."""

    roots: Roots
    name: str

    @classmethod
    def of(cls, spec: Specification, roots: Roots | None = None) -> "Places":
        """Those of this specification."""
        if roots is None:
            roots = Roots() if spec.scope == "system" else Roots.of_user()
        return cls(roots, spec.name)

    @property
    def entry(self) -> Path:
        """The registry's entry: says that the home is managed, and holds the declaration."""
        return self.roots.registry / "homes" / f"{self.name}.json"

    @property
    def specification(self) -> Path:
        """The specification as `hermes deploy apply` keeps it."""
        return self.roots.registry / "specifications" / f"{self.name}.json"

    @property
    def record(self) -> Path:
        """What was applied last."""
        return self.roots.records / f"{self.name}.json"

    @property
    def runtime(self) -> Path:
        """The folder that is made anew before each start; in a container it is /run/hermes."""
        return self.roots.runtime / self.name

    @property
    def lock(self) -> Path:
        """Held by whoever changes deployments. Beside the runtime folder: that may be missing."""
        return self.roots.runtime.with_name(f"{self.roots.runtime.name}.lock")

    @property
    def environment(self) -> Path:
        """The variables of all environment files and of `environment`, in one normal form."""
        return self.runtime / "environment"
