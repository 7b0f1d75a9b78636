"""The units of both modules beside those that `hermes deploy apply` writes for the same thing."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hermes_agent.deploy.applying.unit import render
from hermes_agent.deploy.container import state_mount
from hermes_agent.deploy.native import unit as native
from hermes_agent.deploy.places import Places, Roots
from hermes_agent.deploy.spec import Specification
from tests.nix.machines import Home, Machine, section, words
from tests.nix.nix import ROOT

# They differ for good reasons, and have tests of their own.
OWN_WAY = {"Environment", "EnvironmentFile", "ExecStartPre", "ExecStart", "ExecReload"}
NATIVE = {
    "default": "",
    "home": 'stateDir = "/home/alice/agent/state"; workingDirectory = "/srv/a b/work";',
    "temporary": 'stateDir = "/tmp/agents/one";',
    "browser": 'settings.toolsets = [ "all" ];',
    "browser by platform": 'settings.platform_toolsets.telegram = [ "browser" ];',
    "browser by section": "settings.browser.command_timeout = 5;",
    "elsewhere": 'settings.terminal.backend = "ssh";',
    "servers": 'settings.terminal.backend = "ssh"; mcpServers.x.command = "npx";',
    "remote servers": 'settings.terminal.backend = "ssh"; mcpServers.x.url = "https://x.example";',
    "config file": 'configFile = "/etc/c.yaml";',
    "off": "hardening.enable = false;",
    "changed": """hardening.settings = {
      ProtectHome = "read-only"; MemoryDenyWriteExecute = true; TasksMax = 50;
      InaccessiblePaths = [ "/srv" "/mnt" ]; PrivateTmp = false; };""",
    "secrets": 'secrets.model.api_key = "/run/secrets/50% off";',
    "policy": 'restart = "on-failure"; restartSec = 0; user = "agent"; group = "people";',
}


def service(unit: str) -> dict[str, list[str]]:
    """[Service], without what goes its own way, in one spelling."""
    return {
        key: [_plain(value) for value in values]
        for key, values in sorted(section(unit, "Service").items())
        if key not in OWN_WAY
    }


def _plain(value: str) -> str:
    value = {"true": "yes", "false": "no"}.get(value, value)
    return value[1:-1] if value.startswith('"') and value.endswith('"') else value


@pytest.mark.parametrize("module", NATIVE.values(), ids=list(NATIVE))
def test_a_native_service_is_confined_as_by_the_engine(machine: Machine, module: str) -> None:
    spec = machine.specification(module)
    assert service(machine.evaluate(module, "unit")) == service(
        render(spec, Places.of(spec), {} if spec.config_file else spec.declared)
    )


@pytest.mark.parametrize(
    "without",
    [
        "security.allowUserNamespaces = false;",
        'boot.kernel.sysctl."user.max_user_namespaces" = 0;',
    ],
)
def test_a_machine_without_user_namespaces_is_asked_for_none(
    machine: Machine, without: str
) -> None:
    # NixOS itself wants no sandboxed builds then.
    module = f"}}; {without} nix.settings = {{ sandbox = false;"
    spec = machine.specification("")
    found = service(machine.evaluate(module, "unit"))
    assert "PrivateUsers" not in found
    assert found == service(
        native.render(spec, Places.of(spec), spec.declared, user_namespaces=False)
    )


@pytest.mark.parametrize("backend", ["docker", "podman"])
def test_a_container_s_service_lives_as_by_the_engine(machine: Machine, backend: str) -> None:
    module = f'container = {{ enable = true; backend = "{backend}"; }};'
    spec = machine.specification(module)
    unit: str = machine.evaluate(module, "unit")
    other = render(spec, Places.of(spec), spec.declared)
    assert service(unit) == service(other)
    assert section(unit, "Unit").get("Requires") == section(other, "Unit").get("Requires")
    (start,) = section(unit, "Service")["ExecStart"]
    assert words(start)[1:3] == ["deploy", "run"]


@pytest.mark.parametrize("state", ["/var/lib/hermes", "/srv/agents/50% of-it"])
def test_a_container_s_state_is_sealed_as_by_the_engine(machine: Machine, state: str) -> None:
    module = f'container.enable = true; stateDir = "{state}";'
    spec = machine.specification(module)
    (mount,) = machine.evaluate(module, "mounts")
    other = state_mount.render(spec)
    assert section(mount, "Mount") == section(other, "Mount")
    described = ("Description", "ConditionPathIsDirectory")
    assert [section(mount, "Unit")[key] for key in described] == [
        section(other, "Unit")[key] for key in described
    ]
    for key in ("Wants", "After"):
        (told,) = section(machine.evaluate(module, "unit"), "Unit")[key]
        assert state_mount.unit(spec) in told.split()


def test_a_file_system_that_the_owner_declares_for_the_state_is_left_alone(
    machine: Machine,
) -> None:
    mounted = 'fileSystems."/var/lib/hermes" = { device = "/dev/x"; fsType = "ext4";'
    own = f"container.enable = true; }}; {mounted}"
    assert machine.evaluate(own, "mounts") == []
    (warning,) = machine.evaluate(own, "warnings")
    assert 'fileSystems."/var/lib/hermes".options' in warning
    sealed = f'{own} options = [ "nosuid" "nodev" ];'
    assert machine.evaluate(sealed, "warnings") == []


def test_without_a_container_nothing_is_mounted(machine: Machine) -> None:
    assert machine.evaluate("", "mounts") == []


@pytest.mark.parametrize("module", ["", "hardening.enable = false;"], ids=["default", "off"])
def test_a_person_s_service_is_confined_as_by_the_engine(manager: Home, module: str) -> None:
    spec = manager.specification(module)
    places = Places.of(spec, Roots(Path("/x"), Path("/x"), Path("/x")))
    assert service(manager.evaluate(module, "unit")) == service(render(spec, places, spec.declared))


def test_the_set_up_runs_as_root_with_an_environment_of_its_own(machine: Machine) -> None:
    found = section(machine.evaluate("", "unit"), "Service")
    (before,) = found["ExecStartPre"]
    assert before.startswith('+"')
    assert words(before)[0].endswith("/bin/env")
    assert words(before)[1] == "-i"
    hermes, *rest = words(before)[3:]
    assert hermes.endswith("/bin/hermes")
    assert rest[:2] == ["deploy", "prepare"]
    assert rest[2] == words(before)[-1]
    assert rest[2].startswith(f"{machine.nix.store}/")
    assert found["EnvironmentFile"] == ["-/run/hermes-agent/hermes-agent/environment"]


def test_arguments_reach_the_gateway_as_they_are(machine: Machine) -> None:
    hard = ["--verbose", "100% $HOME ${X}", 'a "quoted" \\word', "é;|&"]
    nix = " ".join(json.dumps(word, ensure_ascii=False).replace("$", "\\$") for word in hard)
    found = section(machine.evaluate(f"extraArgs = [ {nix} ];", "unit"), "Service")
    (start,) = found["ExecStart"]
    assert words(start)[1:] == ["gateway", "run", "--replace", *hard]
    assert "%H" not in start


def test_more_packages_come_first_on_the_path(machine: Machine) -> None:
    found = section(machine.evaluate("extraPackages = [ pkgs.hello ];", "unit"), "Service")
    (path,) = [line for line in found["Environment"] if line.startswith('"PATH=')]
    first, second, *rest = path.removeprefix('"PATH=').split(":")
    assert "-hello-" in first
    assert "-hermes-agent/" in second
    assert "/run/current-system/sw/bin" in rest


def test_the_service_starts_again_for_a_changed_specification_and_only_then(
    machine: Machine,
) -> None:
    """NixOS restarts a service when the text of its unit changes."""

    def unit(module: str) -> str:
        return machine.evaluate(module, "unit")

    before = unit('settings.model.default = "a/b";')
    unrelated = """settings = { model.default = lib.mkDefault "a/b"; };
      }; environment.systemPackages = [ pkgs.hello ]; users.users.eve = { isNormalUser = true;"""
    assert unit(unrelated) == before
    for changed in (
        'settings.model.default = "c/d";',
        'settings.model.default = "a/b"; documents."SOUL.md" = "x";',
        'settings.model.default = "a/b"; environment.TZ = "UTC";',
    ):
        assert unit(changed) != before
    contained = 'container.enable = true; settings.model.default = "a/b";'
    before = unit(contained)
    assert unit(f'{contained} documents."SOUL.md" = "x";') != before
    assert unit(f'{contained} }}; environment.etc.x = {{ text = "x";') == before


@pytest.mark.parametrize("module", ["", 'container.enable = true; secrets.a.b = "/run/x";'])
def test_systemd_understands_every_line(machine: Machine, tmp_path: Path, module: str) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("UNITS ARE NOT VERIFIED: there is no systemd-analyze")
    unit: str = machine.evaluate(module, "unit")
    # The programs are not built; everything else is as it is.
    unit = re.sub(r'(Exec\w+=\+?)"?/nix/store/[^" ]+"?', r"\1/bin/true", unit)
    file = tmp_path / "hermes-agent.service"
    file.write_text(unit.replace("docker.service", "basic.target"))
    done = subprocess.run(
        [verify, "verify", "--man=no", str(file)],
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "hermes" in line]
    assert ours == []


def test_the_reasons_of_the_engine_are_all_in_the_nix_code() -> None:
    data = json.loads((ROOT / "src/hermes_agent/deploy/data/hardening.json").read_text())
    text = (ROOT / "nix/hardening.nix").read_text()
    assert [reason for reason in data["relax"] if f'"{reason}"' not in text] == []
    assert Specification(package="/x").hardening.enable
