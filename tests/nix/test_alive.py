"""What the NixOS module makes, brought to life: its unit, its specification, its sudo rule and its
door, in a booted systemd. Only the paths of programs are other ones, for nothing of nixpkgs is
built here."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nix.machines import Machine as Evaluated
from tests.nix.machines import section, words
from tests.systemd.deployed import KEY, MODEL_PORT, Deployed
from tests.systemd.machine import ROOT, Machine, why_not

pytestmark = pytest.mark.timeout(500)  # the first test may have to fetch a Debian

MODULE = f"""
  addToSystemPackages = true;
  settings = {{
    model = {{
      provider = "custom";
      base_url = "http://127.0.0.1:{MODEL_PORT}/v1";
      default = "none";
    }};
    approvals.mode = "off";
  }};
  secrets.auxiliary.vision.api_key = "/etc/secrets/vision";
  environment.API_SERVER_ENABLED = "true";
  environmentFiles = [ "/etc/secrets/agent.env" ];
  documents."SOUL.md" = "You are brief.";
  documents."notes/a b.md" = "one\\n'two' $HOME\\n";
  extraArgs = [ "--verbose" ];
  restartSec = 1;
"""
SPECIFICATION = "/etc/generated.json"
DOOR = "/run/current-system/sw/libexec/hermes-agent/hermes-agent"


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    missing = why_not()
    if missing:
        pytest.skip(f"WHAT THE NIXOS MODULE MAKES IS NOT STARTED: {missing}")
    made = subprocess.run(
        [ROOT / "scripts" / "prepare-systemd-root"], stdout=subprocess.PIPE, text=True, check=True
    )
    booted = Machine(Path(made.stdout.strip()), tmp_path_factory.mktemp("machine"))
    yield booted
    booted.close()


class OnNixos(Deployed):
    """A deployment by what NixOS would install."""

    def __init__(self, machine: Machine, evaluated: Evaluated) -> None:
        super().__init__(machine)
        self._evaluated = evaluated

    def switch(self, module: str) -> None:
        """As `nixos-rebuild switch` does with a service whose unit has another text."""
        spec = self._evaluated.evaluate(module, "specification")
        unit = self._evaluated.evaluate(module, "unit")
        self.machine.write(SPECIFICATION, json.dumps({**spec, "package": "/opt/hermes"}))
        self.machine.write(f"/etc/systemd/system/{self.unit}", here(unit, spec["package"]))
        self.machine.sh(f"systemctl daemon-reload; systemctl restart {self.unit}")

    def accounts(self, module: str) -> None:
        user = self._evaluated.evaluate(module, "user")
        assert user["isSystemUser"]
        self.machine.sh(
            f"groupadd -r {user['group']};"
            f" useradd -r -M -g {user['group']} -d {user['home']} -s /usr/sbin/nologin hermes;"
            f" useradd -m -s /bin/bash -G {user['group']} alice; useradd -m -s /bin/bash mallory;"
            " echo 127.0.1.1 $(hostname) >> /etc/hosts"
        )

    def command(self, module: str) -> None:
        """The door and the rule of sudo."""
        text = self._evaluated.evaluate(module, "door")
        self.machine.sh(f"install -d {Path(DOOR).parent}")
        self.machine.write(DOOR, text.replace("/interpreter", "/opt/hermes/bin/python"))
        rules = self._evaluated.evaluate(module, "sudoers").splitlines()
        ours = [rule for rule in rules if "hermes" in rule]
        assert len(ours) == 2
        self.machine.write("/etc/sudoers.d/nixos", "\n".join(ours) + "\n")
        self.machine.sh(f"chmod 755 {DOOR}; chmod 440 /etc/sudoers.d/nixos; visudo -cq")

    def clear(self) -> None:
        super().clear()
        self.machine.sh(
            "userdel -rf alice; userdel -rf mallory; groupdel hermes 2>/dev/null || true;"
            f" rm -f /etc/sudoers.d/nixos {SPECIFICATION}; rm -rf /run/current-system"
        )


def here(unit: str, package: str) -> str:
    """The unit with programs of this machine."""
    unit = unit.replace(package, "/opt/hermes")
    (before,) = section(unit, "Service")["ExecStartPre"]
    unit = unit.replace(words(before)[-1], SPECIFICATION)
    return re.sub(r"/nix/store/[^:\" ]+/s?bin", "/usr/bin", unit)


@pytest.fixture
def deployed(booted: Machine, machine: Evaluated) -> Iterator[OnNixos]:
    deployed = OnNixos(booted, machine)
    deployed.accounts(MODULE)
    yield deployed
    deployed.clear()


def test_the_native_service_comes_up_and_does_what_was_declared(deployed: OnNixos) -> None:
    machine = deployed.machine
    deployed.secret("vision", "the-key-that-sees")
    deployed.start_model()
    deployed.switch(MODULE)
    assert deployed.active == "active"
    assert deployed.say("hello") == "hello"

    state = machine.sh("cd /var/lib/hermes; stat -c '%U:%G %a %n' . .hermes .hermes/config.yaml")
    assert state.splitlines() == [
        "hermes:hermes 750 .",
        "hermes:hermes 2770 .hermes",
        "hermes:hermes 640 .hermes/config.yaml",
    ]
    assert machine.sh("cat /var/lib/hermes/.hermes/.managed").strip() == "nixos"
    assert machine.sh("cat '/var/lib/hermes/workspace/notes/a b.md'") == "one\n'two' $HOME\n"

    # The agent works within, and not outside.
    assert "here" in deployed.do("touch here && ls")
    assert machine.sh("stat -c %U /var/lib/hermes/workspace/here").strip() == "hermes"
    assert "Read-only" in deployed.do("touch /etc/here") or "denied" in deployed.do("touch /etc/x")
    assert "NoNewPrivs:\t1" in machine.sh(f"cat /proc/{deployed.pid}/status")

    environment = machine.sh(f"tr '\\0' '\\n' < /proc/{deployed.pid}/environ").splitlines()
    assert {
        "HERMES_MANAGED=true",
        "HERMES_HOME=/var/lib/hermes/.hermes",
        "MESSAGING_CWD=/var/lib/hermes/workspace",
        "HOME=/var/lib/hermes",
    } <= set(environment)

    # Secrets are nowhere that others look.
    public = machine.sh(
        f"systemctl cat {deployed.unit}; systemctl show {deployed.unit}; cat {SPECIFICATION}"
    )
    for secret in (KEY, "the-key-that-sees"):
        assert secret not in public
        assert not [line for line in deployed.said() if secret in line]


def test_hermes_on_the_host_is_for_the_group(deployed: OnNixos) -> None:
    machine = deployed.machine
    deployed.secret("vision", "x")
    deployed.switch(MODULE)
    deployed.command(MODULE)
    assert machine.run("hermes", "config", "get", "model.default", user="alice").ok() == "none\n"
    refused = machine.run("hermes", "config", "set", "model.default", "a/b", user="alice")
    assert refused.status == 1
    assert "managed by NixOS" in refused.err
    assert "sudo nixos-rebuild switch" in refused.err
    stranger = machine.run("hermes", "config", "get", "model.default", user="mallory")
    assert stranger.status != 0
    assert 'users.users.mallory.extraGroups = [ "hermes" ];' in stranger.err


def test_a_changed_declaration_counts_after_the_switch(deployed: OnNixos) -> None:
    machine = deployed.machine
    deployed.secret("vision", "x")
    deployed.switch(MODULE.replace("settings = {", 'settings = { timezone = "UTC";'))
    config = "/var/lib/hermes/.hermes/config.yaml"
    assert "timezone: UTC" in machine.sh(f"cat {config}")
    deployed.switch(MODULE)
    assert "timezone" not in machine.sh(f"cat {config}")
    assert "default: none" in machine.sh(f"cat {config}")


def test_a_secret_that_is_not_there_stops_the_start_with_a_sentence(deployed: OnNixos) -> None:
    deployed.machine.sh("rm /etc/secrets/agent.env")
    with pytest.raises(AssertionError):
        deployed.switch(MODULE)
    assert [line for line in deployed.said() if "/etc/secrets/agent.env" in line]
