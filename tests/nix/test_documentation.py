"""docs/nixos-options.md says what the options are."""

import re
from pathlib import Path

from tests.nix.nix import ROOT, Nix

PAGE = ROOT / "docs" / "nixos-options.md"


def test_the_page_is_the_one_that_the_options_make(nix: Nix, nixpkgs: Path) -> None:
    made = nix.expression(f"import {ROOT}/nix/documentation.nix {{ lib = import {nixpkgs}/lib; }}")
    assert PAGE.read_text() == made, "nix eval --raw .#lib.optionsDocument > docs/nixos-options.md"


def test_every_option_of_the_guide_is_on_it_with_its_default() -> None:
    rows = dict(
        re.findall(r"(?m)^\| `([^`]+)`(?: \*)? \| (?:[^|\\]|\\.)+ \| (.*?) \|", PAGE.read_text())
    )
    guide = {
        "enable": "`false`",
        "user": '`"hermes"`',
        "group": '`"hermes"`',
        "createUser": "`true`",
        "stateDir": '`"/var/lib/hermes"`',
        "workingDirectory": '`"${stateDir}/workspace"`',
        "addToSystemPackages": "`false`",
        "settings": "`{ }`",
        "configFile": "`null`",
        "environmentFiles": "`[ ]`",
        "environment": "`{ }`",
        "authFile": "`null`",
        "authFileForceOverwrite": "`false`",
        "documents": "`{ }`",
        "mcpServers": "`{ }`",
        "mcpServers.<name>.args": "`[ ]`",
        "mcpServers.<name>.env": "`{ }`",
        "mcpServers.<name>.timeout": "`null`",
        "extraArgs": "`[ ]`",
        "extraPackages": "`[ ]`",
        "restart": '`"always"`',
        "restartSec": "`5`",
        "container.enable": "`false`",
        "container.backend": '`"docker"`',
        "container.image": '`"ubuntu:24.04"`',
        "container.extraVolumes": "`[ ]`",
        "container.extraOptions": "`[ ]`",
    }
    assert {name: rows.get(name) for name in guide} == guide
    assert {"package", "mcpServers.<name>.command"} <= set(rows)
