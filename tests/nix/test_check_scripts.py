"""The flake's checks that run the program, run on the program of this checkout."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.nix.nix import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PROGRAMS = sorted(PROJECT["scripts"])
CHECKS = {
    "package-contents": [PROJECT["version"], *PROGRAMS],
    "cli-commands": [],
    "managed-guard": [],
    "entry-points": PROGRAMS,
    "config-roundtrip": [],
}


def package(folder: Path) -> Path:
    """A folder with bin/ like that of the package."""
    (folder / "package" / "bin").mkdir(parents=True)
    for name in PROGRAMS:
        (folder / "package" / "bin" / name).symlink_to(Path(sys.executable).parent / name)
    return folder / "package"


def run(name: str, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    (folder / "tmp").mkdir()
    return subprocess.run(
        ["/bin/sh", "-eu", str(ROOT / "nix" / "checks" / f"{name}.sh"), *arguments],
        env={
            "PATH": os.environ["PATH"],
            "TMPDIR": str(folder / "tmp"),
            "HOME": str(folder / "tmp"),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", list(CHECKS))
def test_a_check_passes_on_this_checkout(name: str, tmp_path: Path) -> None:
    done = run(name, tmp_path, str(package(tmp_path)), *CHECKS[name])
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("package-contents", ["9.9.9", *PROGRAMS], "pyproject.toml says 9.9.9"),
        (
            "package-contents",
            [PROJECT["version"], "hermes-nowhere"],
            "bin/hermes-nowhere is missing",
        ),
        ("entry-points", PROGRAMS[:-1], "bin:"),
    ],
)
def test_a_check_fails_on_what_it_is_for(
    name: str, arguments: list[str], said: str, tmp_path: Path
) -> None:
    done = run(name, tmp_path, str(package(tmp_path)), *arguments)
    assert done.returncode != 0
    assert said in done.stdout


def test_the_guard_s_check_notices_a_command_that_is_let_through(tmp_path: Path) -> None:
    made = package(tmp_path)
    hermes = made / "bin" / "hermes"
    real = hermes.resolve()
    hermes.unlink()
    hermes.write_text(f'#!/bin/sh\n[ "$1 $2" = "config unset" ] && exit 0\nexec {real} "$@"\n')
    hermes.chmod(0o755)
    done = run("managed-guard", tmp_path, str(made))
    assert done.returncode != 0
    assert "config unset" in done.stdout
