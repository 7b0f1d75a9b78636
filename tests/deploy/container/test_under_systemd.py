"""`hermes deploy apply` of a container's specification under a real systemd with a real Podman."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.container.deployment import SETTINGS
from tests.deploy.container.engines import ROOT
from tests.systemd.machine import PYTHON, Machine, why_not

pytestmark = pytest.mark.timeout(500)  # the first test may have to fetch a Debian

UNIT = "hermes-agent.service"
CONTAINERS = """\
[containers]
default_ulimits=["nofile=20000:20000","nproc=32768:32768"]
[engine]
runtime="runc"
cgroup_manager="cgroupfs"
events_logger="file"
"""
# Its own libraries are looked for where it was built.
VOLUMES = [] if sys.base_prefix == PYTHON else [f"{PYTHON}:{sys.base_prefix}:ro"]
SPECIFICATION: dict[str, Any] = {
    "package": "/opt/hermes",
    "packageRoots": ["/opt/hermes", "/opt/packages", "/opt/src", PYTHON],
    "settings": {**SETTINGS, "timezone": "Asia/Tokyo"},
    "environmentFiles": ["/etc/agent.env"],
    "addToSystemPackages": True,
    "restartSec": 1,
    "container": {"enable": True, "backend": "podman", "provision": [], "extraVolumes": VOLUMES},
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    missing = why_not()
    if missing:
        pytest.skip(f"NO CONTAINER IS TESTED UNDER A REAL SYSTEMD: {missing}")
    base, image = (
        subprocess.run([ROOT / "scripts" / name], stdout=subprocess.PIPE, text=True, check=True)
        for name in ("prepare-container-machine", "prepare-container-image")
    )
    with tempfile.TemporaryDirectory(prefix="hermes-storage-", dir="/tmp") as storage:
        options = (
            "--system-call-filter=@known",
            "--capability=all",
            # What is an overlay itself cannot be the ground of another one.
            f"--bind={storage}:/var/lib/containers",
            f"--bind-ro={image.stdout.strip()}:/image.tar",
        )
        machine = Machine(Path(base.stdout.strip()), tmp_path_factory.mktemp("machine"), options)
        try:
            machine.write("/etc/containers/containers.conf", CONTAINERS)
            (machine.mnt / "agent.env").write_text("TEST_API_KEY=sk-never-to-be-seen\n")
            machine.sh(
                "for each in /sys/fs/cgroup /sys/fs/cgroup/*; do"
                " mount -o remount,bind,rw $each; done;"
                " podman import /image.tar docker.io/library/ubuntu:24.04;"
                " install -m 600 /mnt/agent.env /etc/agent.env; rm /mnt/agent.env;"
                " useradd -m member"
            )
            machine.run("hermes", "deploy", "apply", write(machine)).ok()
            yield machine
        finally:
            machine.run("podman", "kill", "--all")
            machine.run("podman", "umount", "--all", "--force")
            machine.close()


def write(machine: Machine, **changes: Any) -> str:
    path = "/root/hermes.json"
    machine.write(path, json.dumps({**SPECIFICATION, **changes}))
    return path


def container(machine: Machine, what: str) -> str:
    return machine.run("podman", "inspect", "hermes-agent", f"--format={{{{{what}}}}}").ok().strip()


def agent_pid(machine: Machine) -> int:
    return int(machine.sh(f"pgrep -P {container(machine, '.State.Pid')}").split()[0])


def test_apply_brings_the_container_s_service_up(machine: Machine) -> None:
    assert machine.show(UNIT, "ActiveState") == "active"
    assert "platforms connected" in machine.show(UNIT, "StatusText")
    assert container(machine, ".State.Status") == "running"
    ran = machine.run("hermes", "deploy", "apply", write(machine))
    assert "nothing was changed" in ran.ok()


def test_the_agent_s_log_is_in_the_unit_s_journal_and_no_secret_is(machine: Machine) -> None:
    said = [entry.get("MESSAGE", "") for entry in machine.journal(UNIT)]
    assert any("the gateway is up" in message for message in said)
    assert len([message for message in said if "the gateway is up" in message]) == 1
    everything = machine.sh(f"journalctl --no-pager; systemctl show {UNIT}")
    assert "sk-never-to-be-seen" not in everything


def test_a_member_of_the_group_reaches_the_agent_and_others_do_not(machine: Machine) -> None:
    words = ("/usr/local/bin/hermes", "config", "get", "timezone")
    refused = machine.run(*words, user="member")
    assert refused.status == 1
    assert "for members of the group hermes" in refused.err
    machine.sh("usermod -aG hermes member")
    assert machine.run(*words, user="member").ok().strip() == "Asia/Tokyo"
    blocked = machine.run("hermes", "config", "set", "timezone", "Europe/Paris", user="member")
    assert blocked.status == 1
    assert "managed by" in blocked.err


def test_a_restart_keeps_the_container_and_a_stop_drains_it(machine: Machine) -> None:
    first = container(machine, ".Id")
    machine.sh("podman exec hermes-agent touch /usr/local/by-apt")
    machine.run("systemctl", "restart", UNIT).ok()
    assert container(machine, ".Id") == first
    machine.run("systemctl", "stop", UNIT).ok()
    assert machine.show(UNIT, "Result") == "success"
    assert container(machine, ".State.Status") == "exited"
    assert any("drained" in entry.get("MESSAGE", "") for entry in machine.journal(UNIT))
    machine.run("systemctl", "start", UNIT).ok()
    assert container(machine, ".Id") == first
    machine.sh("podman exec hermes-agent test -e /usr/local/by-apt")


def test_a_service_s_process_that_is_killed_comes_back_with_one_agent(machine: Machine) -> None:
    pid, before = int(machine.show(UNIT, "MainPID")), agent_pid(machine)
    machine.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", UNIT).ok()
    machine.wait(
        lambda: (
            machine.show(UNIT, "MainPID") not in ("0", str(pid))
            and machine.show(UNIT, "ActiveState") == "active"
        ),
        "the restart",
    )
    assert machine.run("kill", "-0", str(before)).status != 0
    assert machine.sh("podman ps -q | wc -l").strip() == "1"


def test_an_agent_that_hangs_is_ended_by_the_watchdog_and_started_again(machine: Machine) -> None:
    folder = f"/etc/systemd/system/{UNIT}.d"
    machine.write(f"{folder}/test.conf", "[Service]\nWatchdogSec=2\nTimeoutStopSec=5\n")
    machine.sh("systemctl daemon-reload")
    machine.run("systemctl", "restart", UNIT).ok()
    pid, agent = int(machine.show(UNIT, "MainPID")), agent_pid(machine)
    machine.sh(f"kill -STOP {agent}")
    machine.wait(
        lambda: (
            machine.show(UNIT, "MainPID") not in ("0", str(pid))
            and machine.show(UNIT, "ActiveState") == "active"
        ),
        "the watchdog",
    )
    assert agent_pid(machine) != agent
    assert "Watchdog timeout" in machine.sh(f"journalctl --no-pager -u {UNIT}")
    machine.sh(f"rm -r {folder}; systemctl daemon-reload")


def test_a_wrong_configuration_is_not_tried_again(machine: Machine) -> None:
    config = "/var/lib/hermes/.hermes/config.yaml"
    machine.sh(f"cp -a {config} /root/config.yaml; echo 'agent: {{max_turns: many}}' >> {config}")
    ran = machine.run("systemctl", "restart", UNIT)
    assert ran.status != 0
    machine.wait(lambda: machine.show(UNIT, "ActiveState") == "failed", "the end")
    assert machine.show(UNIT, "ExecMainStatus") == "78"
    assert machine.show(UNIT, "NRestarts") == "0"
    machine.sh(f"cp -a /root/config.yaml {config}; systemctl reset-failed {UNIT}")
    machine.run("systemctl", "start", UNIT).ok()


def test_podman_s_monitor_that_is_killed_costs_nothing(machine: Machine) -> None:
    first, monitor = container(machine, ".Id"), container(machine, ".State.ConmonPid")
    pid = machine.show(UNIT, "MainPID")
    machine.sh(f"podman exec hermes-agent touch /usr/local/by-apt; kill -KILL {monitor}")
    machine.wait(
        lambda: (
            machine.show(UNIT, "MainPID") not in ("0", pid)
            and machine.show(UNIT, "ActiveState") == "active"
        ),
        "the restart",
    )
    assert container(machine, ".Id") == first
    machine.sh("podman exec hermes-agent test -e /usr/local/by-apt")


def test_the_state_is_sealed_by_one_mount_that_its_unit_keeps(machine: Machine) -> None:
    listed = machine.sh("findmnt -rno OPTIONS /var/lib/hermes").splitlines()
    assert len(listed) == 1
    assert {"nosuid", "nodev"} <= set(listed[0].split(","))
    assert machine.show("var-lib-hermes.mount", "ActiveState") == "active"
    assert machine.show("var-lib-hermes.mount", "UnitFileState") == "enabled"
    assert UNIT in machine.show("var-lib-hermes.mount", "Before").split()


def test_remove_takes_all_of_it_away(machine: Machine) -> None:
    machine.run("hermes", "deploy", "remove", "--purge", "--yes").ok()
    assert machine.run("test", "-e", "/var/lib/hermes").status == 1
    assert machine.run("podman", "container", "exists", "hermes-agent").status == 1
    assert machine.run("systemctl", "cat", "var-lib-hermes.mount").status == 1
    assert machine.run("findmnt", "/var/lib/hermes").status == 1
