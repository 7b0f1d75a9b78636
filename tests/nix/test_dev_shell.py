"""What entering the development shell does, with a stand-in for uv."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.nix.nix import ROOT

UV = """#!/bin/sh
echo "$*" >> "$LOG"
mkdir -p .venv/bin
exit "${FAILS:-0}"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    made = tmp_path / "check out"
    (made / "bin").mkdir(parents=True)
    (made / "uv.lock").write_text("version = 1\n")
    (made / "pyproject.toml").write_text("[project]\n")
    (made / "bin" / "uv").write_text(UV)
    (made / "bin" / "uv").chmod(0o755)
    return made


def enter(checkout: Path, **variables: str) -> tuple[list[str], str]:
    """What uv was asked, all in all, and PATH as the shell has it then."""
    log = checkout / "log"
    done = subprocess.run(
        ["bash", "-euc", f'. "{ROOT}/nix/dev-shell.sh"; echo "$PATH"'],
        cwd=checkout,
        env={
            "PATH": f"{checkout / 'bin'}:{os.environ['PATH']}",
            "LOG": str(log),
            "UV_PYTHON": "/python",
            **variables,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return (log.read_text().splitlines() if log.exists() else []), done.stdout


def test_the_packages_are_installed_once(checkout: Path) -> None:
    said, path = enter(checkout)
    assert said == ["sync --frozen --all-extras --group dev"]
    assert path.startswith(f"{checkout}/.venv/bin:")
    assert (checkout / ".venv" / ".nix-stamp").exists()
    assert len(enter(checkout)[0]) == 1


@pytest.mark.parametrize("file", ["uv.lock", "pyproject.toml"])
def test_and_again_when_what_they_come_from_has_changed(checkout: Path, file: str) -> None:
    enter(checkout)
    (checkout / file).write_text("changed")
    assert len(enter(checkout)[0]) == 2


def test_and_again_for_another_python(checkout: Path) -> None:
    enter(checkout)
    assert len(enter(checkout, UV_PYTHON="/other")[0]) == 2


def test_what_could_not_be_installed_is_tried_again(checkout: Path) -> None:
    enter(checkout, FAILS="1")
    assert not (checkout / ".venv" / ".nix-stamp").exists()
    assert len(enter(checkout)[0]) == 2
    assert len(enter(checkout)[0]) == 2


def test_direnv_enters_the_same_shell() -> None:
    assert "use flake" in (ROOT / ".envrc").read_text().splitlines()
