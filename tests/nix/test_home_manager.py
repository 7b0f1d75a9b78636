"""The home-manager module, evaluated by home-manager itself."""

from pathlib import Path

import pytest

from tests.nix.machines import Home, section, words
from tests.nix.nix import ROOT, EvaluationFailed, Nix

STATE = "/home/alice/.local/state/hermes"


def test_a_home_makes_a_specification_that_the_engine_accepts(manager: Home) -> None:
    spec = manager.specification('settings.model.default = "a/b"; secrets.model.api_key = "/x/y";')
    assert spec.manager == "home-manager"
    assert spec.scope == "user"
    assert spec.gc_roots is None
    assert (spec.state_dir, spec.workspace) == (STATE, f"{STATE}/workspace")
    assert spec.secrets == {"model.api_key": "/x/y"}


def test_the_service_is_one_of_the_person_s_own(manager: Home) -> None:
    unit: str = manager.evaluate("extraPackages = [ pkgs.hello ];", "unit")
    found = section(unit, "Service")
    assert "User" not in found
    assert found["EnvironmentFile"] == ["-%t/hermes-agent/hermes-agent/environment"]
    (before,) = found["ExecStartPre"]
    assert not before.startswith("+")
    assert words(before)[1:3] == ["deploy", "prepare"]
    assert section(unit, "Install") == {"WantedBy": ["default.target"]}
    assert "After" not in section(unit, "Unit"), "user units know nothing of the network"
    (path,) = found["Environment"]
    assert "-hello-" in path.split(":")[0]


def test_hermes_on_the_path_means_the_service_s_home(manager: Home) -> None:
    module = "addToSystemPackages = true;"
    assert "hermes-agent" in manager.evaluate(module, "programs")
    assert manager.evaluate(module, "variables")["HERMES_HOME"] == f"{STATE}/.hermes"
    assert "HERMES_HOME" not in manager.evaluate("", "variables")


def test_what_cannot_work_is_refused_here_too(manager: Home) -> None:
    with pytest.raises(EvaluationFailed, match="write one of no, always"):
        manager.evaluate('restart = "never";', "activation")


def test_a_home_can_be_activated(manager: Home) -> None:
    assert manager.evaluate("", "activation").endswith("-home-manager-generation.drv")


def test_both_modules_have_the_same_options(nix: Nix, nixpkgs: Path) -> None:
    check = f"import {ROOT}/nix/checks/option-parity.nix {{ lib = import {nixpkgs}/lib; }}"
    assert nix.expression(check) == []


def test_a_difference_between_them_is_noticed(nix: Nix, nixpkgs: Path, tmp_path: Path) -> None:
    copy = tmp_path / "nix"
    for file in ("checks/option-parity.nix", *(path.name for path in (ROOT / "nix").glob("*.nix"))):
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        (copy / file).write_text((ROOT / "nix" / file).read_text())
    options = copy / "options.nix"
    text = options.read_text()
    changed = text.replace(
        "everywhere //", 'removeAttrs everywhere (lib.optional user "restart") //'
    )
    assert changed != text
    options.write_text(changed)
    check = f"import {copy}/checks/option-parity.nix {{ lib = import {nixpkgs}/lib; }}"
    assert nix.expression(check) == ["services.hermes-agent.restart is missing in home-manager"]
