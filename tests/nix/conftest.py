"""Two tiers: what needs Nix alone, and what needs nixpkgs (and more) beside it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.nix import nix as nixes
from tests.nix.machines import Home, Machine, Options


@pytest.fixture(scope="session")
def nix(tmp_path_factory: pytest.TempPathFactory) -> nixes.Nix:
    programs = nixes.programs()
    if programs is None:
        pytest.skip("NIX IS NOT TESTED: there is no nix-instantiate; run scripts/prepare-nix")
    return nixes.Nix(programs, tmp_path_factory.mktemp("nix"))


@pytest.fixture(scope="session")
def tree() -> Callable[[str], Path]:
    """The tree that a variable names; the test is skipped without it."""

    def find(name: str) -> Path:
        found = nixes.tree(name)
        if found is None:
            pytest.skip(f"NIX CODE IS NOT EVALUATED: set {name} to a tree of {nixes.TREES[name]}")
        return found

    return find


@pytest.fixture(scope="session")
def nixpkgs(tree: Callable[[str], Path]) -> Path:
    return tree("NIXPKGS")


@pytest.fixture
def machine(nix: nixes.Nix, nixpkgs: Path, tmp_path: Path) -> Machine:
    return Machine(nix, nixpkgs, tmp_path)


@pytest.fixture
def options(nix: nixes.Nix, nixpkgs: Path, tmp_path: Path) -> Options:
    return Options(nix, nixpkgs, tmp_path)


@pytest.fixture
def manager(nix: nixes.Nix, nixpkgs: Path, tree: Callable[[str], Path], tmp_path: Path) -> Home:
    return Home(nix, nixpkgs, tmp_path, tree("HOME_MANAGER"))
