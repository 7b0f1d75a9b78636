"""The guides' examples, evaluated by NixOS as they stand there.

tests/nix/guide has those of the guide that users of the existing module know, with nothing added
but a module's header; those of our own guide are taken out of it.
"""

import os
import re
import shutil
from pathlib import Path

import pytest

from hermes_agent.deploy.spec import Specification
from tests.nix.machines import Machine
from tests.nix.nix import HERE, ROOT, Nix

GUIDE = HERE / "guide"
OWN = ROOT / "docs" / "nixos-setup.md"
BLOCKS = [
    block
    for block in re.findall(r"(?ms)^```nix\n(.*?)^```", OWN.read_text())
    # What a flake of one's own looks like is tried below.
    if "inputs = {" not in block
]
(FLAKE,) = re.findall(r"(?ms)^```nix\n(# flake\.nix.*?)^```", OWN.read_text())


def wrapped(folder: Path, example: str) -> Path:
    """A module of the example, the fixture files that it names, and the stand-ins."""
    (folder / "example.nix").write_text(example)
    for fixture in (
        "documents/USER.md",
        "secrets/hermes.yaml",
        "secrets/hermes-env.age",
        "SOUL.md",
    ):
        (folder / fixture).parent.mkdir(exist_ok=True)
        (folder / fixture).write_text(f"fixture {fixture}\n")
    path = folder / "wrapped.nix"
    path.write_text(f"{{ imports = [ ./example.nix {HERE}/stand-ins.nix ]; }}\n")
    return path


def good(machine: Machine, module: Path) -> Specification:
    spec = machine.specification(module)
    assert machine.evaluate(module, "failed") == []
    return spec


@pytest.mark.parametrize("name", ["minimal-native", "minimal-container"])
def test_the_minimal_examples_evaluate(machine: Machine, tmp_path: Path, name: str) -> None:
    module = wrapped(tmp_path, (GUIDE / f"{name}.nix").read_text())
    spec = good(machine, module)
    assert spec.settings == {"model": {"default": "anthropic/claude-sonnet-4"}}
    assert spec.environment_files == ("/run/secrets/hermes/env",)
    assert spec.add_to_system_packages
    assert spec.container.enable is machine.evaluate(module, "docker") is (name != "minimal-native")


def test_the_full_example_evaluates(nix: Nix, nixpkgs: Path, tmp_path: Path) -> None:
    """It reads a file below /home, which is put there for Nix alone."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("THE FULL EXAMPLE IS NOT EVALUATED: root and unshare are needed for /home")
    needed = [ROOT, nixpkgs, tmp_path, Path.home()]
    if any(path.is_relative_to("/home") for path in needed):
        pytest.skip("THE FULL EXAMPLE IS NOT EVALUATED: what it needs lies in /home")
    mounted = nix.after(
        "mkdir -p /home; mount -t tmpfs none /home; mkdir -p /home/user/.hermes;"
        " printf 'You are a cat.' > /home/user/.hermes/SOUL.md"
    )
    module = wrapped(tmp_path, (GUIDE / "full.nix").read_text())
    machine = Machine(mounted, nixpkgs, tmp_path)
    spec = good(machine, module)
    assert spec.documents["SOUL.md"].text == "You are a cat."
    assert spec.documents["USER.md"].path
    assert spec.settings["max_turns"] == 100
    assert spec.settings["agent"] == {"max_turns": 60, "verbose": False}
    assert spec.settings["toolsets"] == ["all"]
    assert spec.settings["compression"]["summary_model"] == "google/gemini-3-flash-preview"
    assert spec.mcp_servers["filesystem"]["args"][1] == "@anthropic/mcp-filesystem"
    assert spec.container.extra_volumes == ("/home/user/projects:/projects:rw",)
    assert spec.container.extra_options == ("--gpus", "all")
    assert spec.extra_args == ("--verbose",)


@pytest.mark.parametrize(
    ("name", "path"),
    [("sops-nix", "/run/secrets/hermes-env"), ("agenix", "/run/agenix/hermes-env")],
)
def test_the_examples_of_secrets_managers_evaluate(
    machine: Machine, tmp_path: Path, name: str, path: str
) -> None:
    module = wrapped(tmp_path, (GUIDE / f"{name}.nix").read_text())
    assert good(machine, module).environment_files == (path,)
    assert machine.evaluate(module, "warnings") == []


def test_the_example_of_logins_evaluates(machine: Machine, tmp_path: Path) -> None:
    module = wrapped(tmp_path, (GUIDE / "auth-file.nix").read_text())
    assert good(machine, module).auth_file == "/run/secrets/hermes/auth.json"


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: re.sub(r"\W+", " ", block)[:40])
def test_an_example_of_our_own_guide_evaluates(
    machine: Machine, tmp_path: Path, block: str
) -> None:
    text = re.sub(r"(?m)^#.*\n", "", block)
    if not text.startswith("{"):
        text = f"{{ config, lib, pkgs, ... }}: {{\n{text}\n}}"
    good(machine, wrapped(tmp_path, text))


def test_the_flake_of_our_own_guide_evaluates(nix: Nix, nixpkgs: Path, tmp_path: Path) -> None:
    (tmp_path / "flake.nix").write_text(FLAKE)
    module = wrapped(tmp_path, (GUIDE / "minimal-native.nix").read_text())
    module.rename(tmp_path / "configuration.nix")
    found = nix.expression(
        f"""
        let
          flake = import {tmp_path}/flake.nix;
          lib = import {nixpkgs}/lib // {{
            nixosSystem = given: import {nixpkgs}/nixos/lib/eval-config.nix given;
          }};
          packageFor = pkgs: pkgs.hello;
          outputs = flake.outputs {{
            nixpkgs = {{ inherit lib; }};
            hermes-agent.nixosModules.default = import {ROOT}/nix/nixosModule.nix {{
              inherit packageFor;
            }};
          }};
        in outputs.nixosConfigurations.your-host.config.services.hermes-agent.specification.settings
        """
    )
    assert found == {"model": {"default": "anthropic/claude-sonnet-4"}}
