"""What the modules make, brought to life in a booted systemd: units, specifications, the sudo
rule and the door. Only programs lie elsewhere, for nothing of nixpkgs is built here."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nix.machines import Home, section, words
from tests.nix.machines import Machine as Evaluated
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


PERSONAL = """
  settings = {
    model = { provider = "custom"; base_url = "http://127.0.0.1:9/v1"; default = "none"; };
    timezone = "UTC";
  };
  environment.API_SERVER_ENABLED = "true";
  environmentFiles = [ "/home/alice/keys.env" ];
  documents."SOUL.md" = "You are mine.";
  secrets.auxiliary.vision.api_key = "/home/alice/vision";
"""
STATE = "/home/alice/.local/state/hermes"


@pytest.fixture
def alice(booted: Machine) -> Iterator[Machine]:
    """A machine with the user `alice`, whose services run while she is away."""
    booted.sh("useradd -m alice; loginctl enable-linger alice")
    booted.wait(
        lambda: booted.run("systemctl", "--user", "is-system-running", user="alice").status == 0,
        "her service manager",
    )
    yield booted
    booted.run("loginctl", "disable-linger", "alice")
    booted.run("systemctl", "stop", f"user@{booted.uid('alice')}.service")
    booted.run("userdel", "-rf", "alice")


def test_the_service_of_a_home_comes_up_without_root(alice: Machine, manager: Home) -> None:
    spec = manager.evaluate(PERSONAL, "specification")
    unit = here(manager.evaluate(PERSONAL, "unit"), spec["package"])
    folder = "/home/alice/.config/systemd/user"
    alice.sh(f"mkdir -p {folder}")
    alice.write(f"{folder}/hermes-agent.service", unit)
    alice.write(SPECIFICATION, json.dumps({**spec, "package": "/opt/hermes"}))
    alice.write("/home/alice/keys.env", f"export API_SERVER_KEY='{KEY}'\n")
    alice.write("/home/alice/vision", "the-key-that-sees")
    alice.sh("chown -R alice: /home/alice; chmod 600 /home/alice/keys.env /home/alice/vision")
    alice.run("systemctl", "--user", "daemon-reload", user="alice").ok()
    alice.run("systemctl", "--user", "start", "hermes-agent", user="alice").ok()

    assert alice.show("hermes-agent.service", "ActiveState", user="alice") == "active"
    pid = alice.show("hermes-agent.service", "MainPID", user="alice")
    assert alice.sh(f"stat -c %U /proc/{pid}").strip() == "alice"
    environment = alice.sh(f"tr '\\0' '\\n' < /proc/{pid}/environ").splitlines()
    assert f"HERMES_HOME={STATE}/.hermes" in environment
    assert f"API_SERVER_KEY={KEY}" in environment
    (given,) = [line for line in environment if line.startswith("CREDENTIALS_DIRECTORY=")]
    credential = f"{given.partition('=')[2]}/settings.auxiliary.vision.api_key"
    assert alice.sh(f"cat {credential}") == "the-key-that-sees"
    assert alice.sh(f"cat {STATE}/workspace/SOUL.md") == "You are mine."
    assert "timezone: UTC" in alice.sh(f"cat {STATE}/.hermes/config.yaml")
    refused = alice.run(
        *("hermes", "config", "set", "timezone", "CET"),
        user="alice",
        variables={"HERMES_HOME": f"{STATE}/.hermes"},
    )
    assert refused.status == 1
    assert "managed by home-manager" in refused.err
    assert "home-manager switch" in refused.err
