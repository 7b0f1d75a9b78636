"""The flake's outputs for all systems, down to their derivations. None of them is built here."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.nix import nix as nixes
from tests.nix.nix import HERE, ROOT, EvaluationFailed, Nix

SYSTEMS = ["aarch64-darwin", "aarch64-linux", "x86_64-linux"]
CHECKS = {
    "package-contents",
    "cli-commands",
    "managed-guard",
    "entry-points",
    "config-roundtrip",
    "option-parity",
    "docs",
}
ON_LINUX = {"module-eval", "vm-native", "vm-container-docker", "vm-container-podman"}


@pytest.fixture
def flake(nix: Nix, tree: Callable[[str], Path]) -> Callable[[str], Any]:
    """What evaluate-flake.nix calls so."""

    def evaluate(attribute: str) -> Any:
        return nix.evaluate(
            HERE / "evaluate-flake.nix",
            attribute,
            nixpkgs=tree("NIXPKGS"),
            pyproject_nix=tree("PYPROJECT_NIX"),
            uv2nix=tree("UV2NIX"),
            build_system_pkgs=tree("BUILD_SYSTEM_PKGS"),
        )

    return evaluate


def is_derivation(path: str, name: str) -> bool:
    return re.search(rf"/[a-z0-9]{{32}}-{name}[^/]*\.drv$", path) is not None


def test_it_has_the_outputs_that_the_guide_names(flake: Callable[[str], Any]) -> None:
    assert flake("outputs") == [
        "apps",
        "checks",
        "devShells",
        "homeManagerModules",
        "lib",
        "nixosModules",
        "overlays",
        "packages",
    ]
    assert set(flake("inputs")) == {"self", *flake("declaredInputs")}


def test_the_packages_of_all_systems_are_derivations(flake: Callable[[str], Any]) -> None:
    found: dict[str, dict[str, str]] = flake("packages")
    assert sorted(found) == SYSTEMS
    for packages in found.values():
        assert sorted(packages) == ["default", "full"]
        assert all(is_derivation(path, "hermes-agent-") for path in packages.values())
    every = [path for packages in found.values() for path in packages.values()]
    assert len(set(every)) == len(every)


def test_nix_run_starts_hermes(flake: Callable[[str], Any]) -> None:
    for apps in flake("apps").values():
        assert all(path.endswith("/bin/hermes") for path in apps.values())


def test_the_version_is_that_of_pyproject(flake: Callable[[str], Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert flake("version") == project["version"]


def test_the_wrappers_add_programs_after_those_of_the_machine(flake: Callable[[str], Any]) -> None:
    script: str = flake("script")
    suffix = re.search(r"--suffix PATH : (\S+)", script)
    assert suffix
    for program in ("git", "ripgrep", "openssh", "ffmpeg", "nodejs", "bubblewrap"):
        assert f"-{program}-" in suffix[1], program
    assert "--prefix" not in script
    assert "--set-default HERMES_REVISION 0123456789abcdef" in script
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name in project["scripts"]:
        assert re.search(rf"\b{name}\b", script)


def test_the_full_package_has_every_extra_and_a_browser(flake: Callable[[str], Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert flake("extras.full") == sorted(project["optional-dependencies"])
    assert set(flake("extras.default")) < set(flake("extras.full"))
    assert "-chromium-" in flake("fullScript")
    assert "-chromium-" not in flake("script")


def test_the_package_can_be_overridden(flake: Callable[[str], Any]) -> None:
    assert flake("overridden.extras") == []
    assert is_derivation(flake("overridden.python"), "hermes-agent-")
    with pytest.raises(EvaluationFailed, match="no such extras: telepathy; there are discord"):
        flake("overridden.unknown")


def test_the_overlay_adds_both_packages(flake: Callable[[str], Any]) -> None:
    assert flake("overlay").startswith("hermes-agent-")


def test_the_module_counts_once_and_brings_its_package(flake: Callable[[str], Any]) -> None:
    package: str = flake("machine")["package"]
    assert package == flake("apps.x86_64-linux.default").removesuffix("/bin/hermes")


def test_there_is_a_shell_to_work_in(flake: Callable[[str], Any]) -> None:
    found: dict[str, dict[str, str]] = flake("devShells")
    assert sorted(found) == SYSTEMS
    assert all(is_derivation(shells["default"], "nix-shell") for shells in found.values())


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_checks_are_those_of_the_guide_and_more(
    flake: Callable[[str], Any], system: str
) -> None:
    names = set(flake("checkNames")[system])
    assert names == (CHECKS if system.endswith("darwin") else CHECKS | ON_LINUX)


@pytest.mark.parametrize("name", sorted(CHECKS | ON_LINUX))
def test_a_check_is_a_derivation(flake: Callable[[str], Any], name: str) -> None:
    path: str = flake(f"checks.x86_64-linux.{name}")
    assert is_derivation(path, "vm-test-run-" if name.startswith("vm-") else f"hermes-agent-{name}")


@pytest.mark.parametrize("variable", ["PYPROJECT_NIX", "UV2NIX", "BUILD_SYSTEM_PKGS"])
def test_the_lock_has_the_hash_of_the_tree(
    nix: Nix, tree: Callable[[str], Path], variable: str
) -> None:
    path = tree(variable)
    repository = nixes.TREES[variable].rpartition("/")[2]
    nodes = json.loads((ROOT / "flake.lock").read_text())["nodes"].values()
    (locked,) = [n["locked"] for n in nodes if n.get("locked", {}).get("repo") == repository]
    assert nix.hash(path) == locked["narHash"]
