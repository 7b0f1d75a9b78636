"""Tier one: every Nix file can be parsed, and what it reads is there."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.nix.nix import ROOT, EvaluationFailed, Nix

FILES = sorted(
    [ROOT / "flake.nix", *(ROOT / "nix").rglob("*.nix"), *(ROOT / "tests/nix").rglob("*.nix")]
)


def test_every_nix_file_parses(nix: Nix) -> None:
    assert len(FILES) > 20
    nix.parse(FILES)


def test_a_file_that_does_not_parse_is_noticed(nix: Nix, tmp_path: Path) -> None:
    bad = tmp_path / "bad.nix"
    bad.write_text("{ a = ; }")
    with pytest.raises(EvaluationFailed, match="syntax error"):
        nix.parse([bad])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_file_that_is_named_is_there(file: Path) -> None:
    text = re.sub(r"(?m)^\s*#.*$", "", file.read_text())
    read = r"(?:import|importApply|importJSON|importTOML|readFile|readDir|callPackage)"
    for named in re.findall(read + r"\s+(\.\.?(?:/[\w.-]+)*)", text):
        assert (file.parent / named).exists(), named


def test_the_lock_has_every_input_of_the_flake(nix: Nix) -> None:
    declared = nix.expression(f"(import {ROOT}/flake.nix).inputs")
    lock = json.loads((ROOT / "flake.lock").read_text())
    assert sorted(lock["nodes"]["root"]["inputs"]) == sorted(declared)
    for name, given in declared.items():
        node = lock["nodes"][lock["nodes"]["root"]["inputs"][name]]
        original = node["original"]
        address = f"github:{original['owner']}/{original['repo']}"
        assert given["url"] == "/".join(filter(None, [address, original.get("ref")]))
        followed = {key: [each["follows"]] for key, each in given.get("inputs", {}).items()}
        assert node.get("inputs", {}) == followed
        assert re.fullmatch(r"[0-9a-f]{40}", node["locked"]["rev"])
        assert re.fullmatch(r"sha256-[A-Za-z0-9+/]{43}=", node["locked"]["narHash"])


def test_the_extras_of_the_default_package_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / "nix/package.nix").read_text()
    listed = re.search(r"extras \? \[(.*?)\]", text, re.DOTALL)
    assert listed
    assert set(re.findall(r'"(\w+)"', listed[1])) <= set(project["optional-dependencies"])


def test_the_overlay_is_the_same_for_a_dirty_tree(nix: Nix) -> None:
    arguments = nix.expression(f"builtins.functionArgs (import {ROOT}/nix/overlay.nix)")
    assert arguments["revision"] is True, "revision must be optional"
