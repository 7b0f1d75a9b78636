"""Nix, as the tests use it: parsing, and evaluating with the trees that variables name."""

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
SECONDS = 110

TREES = {
    "NIXPKGS": "nixpkgs",
    "PYPROJECT_NIX": "pyproject-nix/pyproject.nix",
    "UV2NIX": "pyproject-nix/uv2nix",
    "BUILD_SYSTEM_PKGS": "pyproject-nix/build-system-pkgs",
    "HOME_MANAGER": "nix-community/home-manager",
}
"""The variables that name checked-out trees, and what they are trees of."""


class EvaluationFailed(Exception):
    """What Nix said, without its trace."""


class Nix:
    """A Nix with a store of its own, unless a tree lies in the real one."""

    def __init__(self, programs: Path, own: Path) -> None:
        self._programs = programs
        self._before: tuple[str, ...] = ()
        conf = own / "conf"
        conf.mkdir()
        (conf / "nix.conf").write_text(
            "experimental-features = nix-command flakes\nsandbox = false\n"
            "build-users-group =\nsubstituters =\n"
        )
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(own),
            "NIX_CONF_DIR": str(conf),
        }
        if not any(os.environ.get(name, "").startswith("/nix/store/") for name in TREES):
            self._environment |= {
                "NIX_STORE_DIR": str(own / "store"),
                "NIX_STATE_DIR": str(own / "state"),
                "NIX_LOG_DIR": str(own / "log"),
            }

    @property
    def store(self) -> str:
        """Where paths of the store begin."""
        return self._environment.get("NIX_STORE_DIR", "/nix/store")

    def after(self, script: str) -> "Nix":
        """This one, in a mount namespace of its own in which root has run a shell script."""
        other = copy.copy(self)
        script = f'{script}; exec "$@"'
        other._before = ("unshare", "--mount", "--propagation=private", "sh", "-euc", script, "sh")
        return other

    def parse(self, files: list[Path]) -> None:
        """Raises `EvaluationFailed` with what is wrong."""
        self._run("nix-instantiate", "--parse", *map(str, files))

    def evaluate(self, file: Path, attribute: str = "", **arguments: Path | str) -> Any:
        """The value of an attribute of a file's function. Paths are given as paths."""
        words = [str(file), *(["-A", attribute] if attribute else [])]
        for name, value in arguments.items():
            kind = "--arg" if isinstance(value, Path) else "--argstr"
            words += [kind, name.replace("_", "-"), str(value)]
        return json.loads(self._run("nix-instantiate", "--eval", "--strict", "--json", *words))

    def expression(self, text: str) -> Any:
        """The value of an expression."""
        return json.loads(
            self._run("nix-instantiate", "--eval", "--strict", "--json", "--expr", text)
        )

    def hash(self, tree: Path) -> str:
        """What flake.lock calls `narHash`."""
        return self._run("nix", "hash", "path", str(tree)).strip()

    def _run(self, program: str, *words: str) -> str:
        done = subprocess.run(
            [*self._before, str(self._programs / program), *words],
            env=self._environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise EvaluationFailed(done.stderr)
        return done.stdout


def programs() -> Path | None:
    """The folder of Nix's programs: on PATH, or where scripts/prepare-nix put it."""
    found = shutil.which("nix-instantiate")
    if found:
        return Path(found).parent
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    own = cache / "hermes-agent-tests" / "nix-trixie" / "bin"
    return own if (own / "nix-instantiate").exists() else None


def tree(name: str) -> Path | None:
    """The tree that the variable names."""
    value = os.environ.get(name)
    return Path(value).resolve() if value else None
