"""Machines and homes with our modules, evaluated by the real module systems."""

import json
import re
from pathlib import Path
from typing import Any

from hermes_agent.deploy import reading
from hermes_agent.deploy.spec import Specification
from tests.nix.nix import HERE, Nix


class Machine:
    """NixOS with our module and one of the test's own."""

    def __init__(self, nix: Nix, nixpkgs: Path, folder: Path) -> None:
        self.nix = nix
        self._nixpkgs = nixpkgs
        self._folder = folder

    def evaluate(self, module: str | Path, attribute: str) -> Any:
        """What evaluate-nixos.nix calls so, of a module: its file, or the options of
        `services.hermes-agent` as text."""
        return self.nix.evaluate(
            HERE / "evaluate-nixos.nix",
            attribute,
            nixpkgs=self._nixpkgs,
            module=self._module(module),
        )

    def specification(self, module: str | Path) -> Specification:
        """The generated specification, read as the engine reads it."""
        found = self.evaluate(module, "specification")
        return reading.parse(json.dumps(found), "generated")

    def _module(self, module: str | Path) -> Path:
        if isinstance(module, Path):
            return module
        path = self._folder / "module.nix"
        path.write_text(
            "{ config, lib, pkgs, ... }: {"
            " imports = [ { services.hermes-agent.enable = lib.mkDefault true; } ];"
            f" services.hermes-agent = {{\n{module}\n}}; }}\n"
        )
        return path


class Options(Machine):
    """Our options alone, without the machine round them: much quicker."""

    def evaluate(self, module: str | Path, attribute: str) -> Any:
        """What evaluate-options.nix calls so."""
        return self.nix.evaluate(
            HERE / "evaluate-options.nix",
            attribute,
            nixpkgs=self._nixpkgs,
            module=self._module(module),
        )


class Home(Machine):
    """A home of home-manager with our module."""

    def __init__(self, nix: Nix, nixpkgs: Path, folder: Path, home_manager: Path) -> None:
        super().__init__(nix, nixpkgs, folder)
        self._home_manager = home_manager

    def evaluate(self, module: str | Path, attribute: str) -> Any:
        """What evaluate-home.nix calls so."""
        return self.nix.evaluate(
            HERE / "evaluate-home.nix",
            attribute,
            nixpkgs=self._nixpkgs,
            home_manager=self._home_manager,
            module=self._module(module),
        )


def section(unit: str, name: str) -> dict[str, list[str]]:
    """A section of a unit file: every value of each directive, in order."""
    found: dict[str, list[str]] = {}
    here = ""
    for line in unit.splitlines():
        if line.startswith("["):
            here = line.strip("[]")
        elif here == name and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def words(line: str) -> list[str]:
    """A command line of a unit, taken apart as systemd does where everything is quoted."""
    quoted = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
    return [json.loads(f'"{word}"').replace("%%", "%").replace("$$", "$") for word in quoted]
