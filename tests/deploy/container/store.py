"""A Nix store of the tests' own; nothing is built and nothing of the machine's is seen."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.deploy.container.engines import ROOT


def nix_store() -> Path | None:
    """The program; Debian's is unpacked beside the system if there is none. None without."""
    found = shutil.which("nix-store")
    if found is not None:
        return Path(found)
    done = subprocess.run(
        [ROOT / "scripts" / "prepare-nix"], stdout=subprocess.PIPE, text=True, check=False
    )
    program = Path(done.stdout.strip() or "/nonexistent") / "nix-store"
    return program if done.returncode == 0 and program.exists() else None


class Store:
    """Gone when it is left."""

    def __init__(self, program: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="hermes-store-", dir="/tmp"))
        self._folder.chmod(0o755)
        self.path = self._folder / "store"
        self.gc_roots = self._folder / "var" / "gcroots"
        self._program = program
        self._environ = {
            **os.environ,
            "NIX_STORE_DIR": str(self.path),
            "NIX_STATE_DIR": str(self._folder / "var"),
            "NIX_LOG_DIR": str(self._folder / "log"),
            "NIX_CONF_DIR": str(self._folder / "etc"),
            "NIX_REMOTE": "",
        }

    def __enter__(self) -> Self:
        self._do("--init")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        subprocess.run(["chmod", "-R", "u+w", str(self._folder)], check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, folder: Path) -> Path:
        """A copy of the folder in the store."""
        return Path(self._do("--add", str(folder)))

    def roots_of(self, path: str) -> str:
        """What keeps it: `nix-store --query --roots`."""
        return self._do("--query", "--roots", path)

    def collect_garbage(self) -> None:
        """What `nix-collect-garbage` does."""
        self._do("--gc")

    def _do(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self._program), *arguments],
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
