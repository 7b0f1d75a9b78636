"""Where the embedded model keeps its files: one cache per person, shared by all homes."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec


class Places(msgspec.Struct, frozen=True):
    """The folders below one cache folder. Made on use, closed to others (0700)."""

    cache: Path

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> "Places":
        """`$XDG_CACHE_HOME/hermes-agent`, or `~/.cache/hermes-agent`.

        A relative XDG_CACHE_HOME is ignored, as the XDG base directory specification says.
        """
        named = Path(environ.get("XDG_CACHE_HOME", ""))
        base = named if named.is_absolute() else Path.home() / ".cache"
        return cls(base / "hermes-agent")

    @property
    def models(self) -> Path:
        """Weights, whole and partial."""
        return self.cache / "models"

    @property
    def runtime(self) -> Path:
        """A private copy of the inference library, where the installation has none."""
        return self.cache / "local-runtime"

    @property
    def server(self) -> Path:
        """The running server's lock, address and log."""
        return self.cache / "local-server"


def private_folder(path: Path) -> Path:
    """Make `path` if need be; nobody else may look in."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path
