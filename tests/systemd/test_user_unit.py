"""A person's own service under a real systemd."""

import json
from collections.abc import Iterator

import pytest

from tests.systemd.machine import Machine

UNIT = "hermes-gateway.service"
pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian

CONFIG = "model:\n  provider: custom\n  base_url: http://127.0.0.1:9/v1\n  default: none\n"
INSTALL = ("hermes", "gateway", "install")


@pytest.fixture
def alice(machine: Machine) -> Iterator[Machine]:
    """A machine with the user `alice`, who is not logged in; gone afterwards."""
    machine.sh("useradd -m alice")
    machine.write("/home/alice/.hermes/config.yaml", CONFIG)
    machine.sh("chown -R alice: /home/alice; chmod 700 /home/alice/.hermes")
    yield machine
    machine.run("loginctl", "disable-linger", "alice")
    machine.run("systemctl", "stop", f"user@{machine.uid('alice')}.service")
    machine.run("userdel", "-rf", "alice")


def log_in(machine: Machine) -> None:
    """Start what a login starts, as long as it lasts."""
    machine.run("systemctl", "start", f"user@{machine.uid('alice')}.service").ok()


def main_pid(machine: Machine) -> int:
    return int(machine.show(UNIT, "MainPID", user="alice"))


def test_a_person_installs_without_root_and_it_outlasts_the_login(alice: Machine) -> None:
    alice.run("loginctl", "enable-linger", "alice").ok()
    said = alice.run(*INSTALL, user="alice")
    said.ok()
    assert "log out" not in said.err
    assert alice.show(UNIT, "ActiveState", user="alice") == "active"
    ran = alice.run("hermes", "gateway", "status", "--json", "--deep", user="alice")
    found = json.loads(ran.ok())
    assert found["holder"]["pid"] == main_pid(alice)
    assert found["service"]["enabled"] == "enabled"
    assert found["service"]["starts_with_machine"] is True
    assert found["service"]["outdated"] is False
    uid = alice.uid("alice")
    alice.run("systemctl", "restart", f"user@{uid}.service").ok()
    alice.wait(
        lambda: alice.show(UNIT, "ActiveState", user="alice") == "active",
        "the service after the machine's start",
    )


def test_who_may_not_linger_is_told_whom_to_ask_and_for_what(alice: Machine) -> None:
    log_in(alice)
    said = alice.run(*INSTALL, user="alice")
    said.ok()
    assert "loginctl enable-linger alice" in said.err
    assert alice.show(UNIT, "ActiveState", user="alice") == "active"
    status = alice.run("hermes", "gateway", "status", "--deep", user="alice")
    assert "does not start with the machine" in status.out


def test_without_a_login_nothing_is_written_and_the_way_out_is_named(alice: Machine) -> None:
    said = alice.run(*INSTALL, user="alice")
    assert said.status == 1
    assert "loginctl enable-linger alice" in said.err
    alice.sh("! test -e /home/alice/.config/systemd")


def test_systemd_has_nothing_to_say_against_the_installed_unit(alice: Machine) -> None:
    log_in(alice)
    alice.run(*INSTALL, user="alice").ok()
    ran = alice.run(
        "systemd-analyze",
        "verify",
        "--user",
        f"/home/alice/.config/systemd/user/{UNIT}",
        user="alice",
    )
    assert (ran.status, ran.out, ran.err) == (0, "", "")


def test_a_broken_configuration_is_not_tried_again_and_75_is_a_restart(alice: Machine) -> None:
    log_in(alice)
    alice.run(*INSTALL, user="alice").ok()
    pid = main_pid(alice)
    kill = ("systemctl", "--user", "kill", "--kill-who=main", "--signal=USR1", UNIT)
    alice.run(*kill, user="alice").ok()
    alice.wait(lambda: main_pid(alice) not in (0, pid), "the planned restart")
    assert alice.show(UNIT, "Result", user="alice") == "success"
    alice.write("/home/alice/.hermes/config.yaml", "agent:\n  max_turns: many\n")
    ran = alice.run("hermes", "gateway", "restart", user="alice")
    assert ran.status == 78
    assert alice.show(UNIT, "ActiveState", user="alice") == "failed"


def test_stop_start_and_uninstall(alice: Machine) -> None:
    log_in(alice)
    alice.run(*INSTALL, user="alice").ok()
    alice.run("hermes", "gateway", "stop", user="alice").ok()
    assert alice.show(UNIT, "ActiveState", user="alice") == "inactive"
    assert alice.run("hermes", "gateway", "status", user="alice").status == 3
    alice.run("hermes", "gateway", "start", user="alice").ok()
    assert alice.run("hermes", "gateway", "status", user="alice").status == 0
    alice.run("hermes", "gateway", "uninstall", user="alice").ok()
    assert alice.show(UNIT, "LoadState", user="alice") == "not-found"
    assert alice.sh("find /home/alice/.config -name 'hermes*'") == ""
    ran = alice.run("hermes", "gateway", "start", user="alice")
    assert ran.status == 1
    assert "hermes gateway install" in ran.err


def test_sudo_without_system_is_taken_for_the_mistake_that_it_is(alice: Machine) -> None:
    ran = alice.run(*INSTALL, variables={"SUDO_USER": "alice"})
    assert ran.status == 2
    assert "--system" in ran.err
