"""The seal over a container's state directory, from one start of the machine to the next."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.systemd.deployed import SETTINGS
from tests.systemd.machine import Machine

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian

STATE = "/var/lib/agents/the state"
MOUNT = "var-lib-agents-the\\x20state.mount"
PLANTED = f"{STATE}/workspace/id"
SPECIFICATION: dict[str, Any] = {
    "package": "/opt/hermes",
    "packageRoots": ["/opt", "/usr"],
    "stateDir": STATE,
    "settings": SETTINGS,
    # No engine is needed: its service is never started here.
    "container": {"enable": True, "backend": "podman", "program": "/bin/true", "provision": []},
}


class Disk:
    """What outlives the machine's starts; the rest of it is forgotten."""

    KEPT = ("/etc/systemd/system", "/etc/hermes-agent", "/var/lib/agents")

    def __init__(self, base: Path, folder: Path) -> None:
        self._base = base
        self._folder = folder
        self._starts = 0
        self._options: list[str] = []
        for place in self.KEPT:
            here = folder / place.strip("/").replace("/", "-")
            if (base / place[1:]).is_dir():
                shutil.copytree(base / place[1:], here, symlinks=True)
            else:
                here.mkdir()
            here.chmod(0o755)
            self._options.append(f"--bind={here}:{place}")

    def start(self) -> Machine:
        """The machine, started anew."""
        self._starts += 1
        folder = self._folder / f"start-{self._starts}"
        folder.mkdir()
        return Machine(self._base, folder, self._options)


@pytest.fixture
def disk(systemd_root: Path, tmp_path: Path) -> Disk:
    return Disk(systemd_root, tmp_path)


def deploy(machine: Machine, *words: str) -> str:
    return machine.run("hermes", "deploy", *words).ok()


def apply(machine: Machine) -> str:
    machine.write("/root/spec.json", json.dumps(SPECIFICATION))
    return deploy(machine, "apply", "--no-start", "/root/spec.json")


def mounts(machine: Machine) -> int:
    """How many mounts lie over the state directory."""
    return machine.sh("cat /proc/self/mountinfo").count(STATE.replace(" ", "\\040") + " rw,")


def as_anybody(machine: Machine) -> str:
    """Whom the planted program makes of somebody without rights."""
    other = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    return machine.sh(f"{other} '{PLANTED}' -u").strip()


def plant(machine: Machine) -> None:
    """What root of the container can do in /data."""
    machine.sh(
        f"chmod 755 '{STATE}' '{STATE}/workspace'; cp /usr/bin/id '{PLANTED}';"
        f" chmod 4755 '{PLANTED}'"
    )


def test_a_setuid_file_in_the_state_is_inert_from_the_machine_s_start_on(disk: Disk) -> None:
    machine = disk.start()
    try:
        assert f"Write /etc/systemd/system/{MOUNT}" in apply(machine)
        deploy(machine, "prepare", "/etc/hermes-agent/specifications/hermes-agent.json")
        assert mounts(machine) == 1
        assert machine.show(MOUNT, "ActiveState") == "active"
        machine.run("systemctl", "start", MOUNT).ok()
        assert mounts(machine) == 1
        plant(machine)
        # The service does not start with the machine: only the mount is between.
        machine.sh("systemctl disable -q hermes-agent.service")
        account = machine.uid("hermes")
    finally:
        machine.close()
    machine = disk.start()
    try:
        assert machine.show("hermes-agent.service", "ActiveState") == "inactive"
        assert mounts(machine) == 1
        assert as_anybody(machine) == "65534"
        options = machine.sh(f"findmnt -no OPTIONS '{STATE}'")
        assert "nosuid" in options
        assert "nodev" in options
        journal = machine.sh("journalctl -o short-monotonic --no-pager")
        assert "ordering cycle" not in journal
        machine.sh(f"groupadd -g {account} hermes; useradd -u {account} -g hermes hermes")
        deploy(machine, "prepare", "/etc/hermes-agent/specifications/hermes-agent.json")
        assert mounts(machine) == 1
        assert "Took setuid bits" in deploy(machine, "remove")
        assert mounts(machine) == 0
        assert machine.run("test", "-e", f"/etc/systemd/system/{MOUNT}").status == 1
        assert as_anybody(machine) == "65534"
        assert "hermes" not in machine.sh("ls /etc/systemd/system/local-fs.target.wants || true")
    finally:
        machine.close()


def test_without_the_unit_that_file_would_make_root_of_anybody(disk: Disk) -> None:
    """So what is tested above is not the test's own ground."""
    machine = disk.start()
    try:
        machine.sh(f"install -d '{STATE}/workspace'")
        plant(machine)
        assert as_anybody(machine) == "0"
    finally:
        machine.close()


def test_a_mount_that_is_the_owner_s_own_is_left_alone_and_said(disk: Disk) -> None:
    machine = disk.start()
    try:
        own = f"[Mount]\nWhat=tmpfs\nWhere={STATE}\nType=tmpfs\nOptions=mode=750"
        machine.write(f"/run/systemd/system/{MOUNT}", own)
        machine.sh("systemctl daemon-reload")
        machine.run("systemctl", "start", MOUNT).ok()
        machine.write("/root/spec.json", json.dumps(SPECIFICATION))
        ran = machine.run("hermes", "deploy", "apply", "--no-start", "/root/spec.json")
        assert "add nosuid,nodev to its options" in ran.err
        assert machine.run("test", "-e", f"/etc/systemd/system/{MOUNT}").status == 1
        assert "tmpfs" in machine.sh(f"findmnt -no FSTYPE '{STATE}'")
    finally:
        machine.close()
