"""A gateway that no unit of ours runs, on a machine with a real systemd."""

from collections.abc import Iterator

import pytest

from tests.systemd.machine import Machine

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian

CONFIG = "model:\n  provider: custom\n  base_url: http://127.0.0.1:9/v1\n  default: none\n"
RUN = "systemd-run --quiet --collect --uid=alice --property=WorkingDirectory=~"


@pytest.fixture
def alice(machine: Machine) -> Iterator[Machine]:
    machine.sh("useradd -m alice")
    machine.write("/home/alice/.hermes/config.yaml", CONFIG)
    machine.sh("chown -R alice: /home/alice; chmod 700 /home/alice/.hermes")
    yield machine
    machine.run("systemctl", "stop", "hand.scope", "hermes-agent.service")
    machine.run("userdel", "-rf", "alice")


def running(machine: Machine) -> bool:
    return machine.run("hermes", "gateway", "status", user="alice").status == 0


def start_by_hand(machine: Machine) -> None:
    """As from a terminal: in a scope, of which systemd knows no main process."""
    machine.sh(
        "systemd-run --quiet --scope --unit=hand setpriv --reuid=alice --regid=alice --clear-groups"
        " env HOME=/home/alice setsid -f hermes gateway run >/dev/null 2>&1"
    )
    machine.wait(lambda: running(machine), "the gateway")


def test_it_is_stopped_by_a_signal_to_who_holds_the_lock(alice: Machine) -> None:
    start_by_hand(alice)
    ran = alice.run("hermes", "gateway", "stop", user="alice")
    assert "Waiting for the gateway (pid" in ran.err
    assert ran.status == 0
    assert not running(alice)


def test_it_is_not_restarted_for_nobody_would_start_it_again(alice: Machine) -> None:
    start_by_hand(alice)
    ran = alice.run("hermes", "gateway", "restart", user="alice")
    assert ran.status == 1
    assert "--replace" in ran.err
    assert running(alice)


def test_it_is_in_the_way_of_an_install(alice: Machine) -> None:
    start_by_hand(alice)
    ran = alice.run("hermes", "gateway", "install", "--system", "--run-as-user", "alice")
    assert ran.status == 1
    assert "hermes gateway stop" in ran.err
    alice.sh("! test -e /etc/systemd/system/hermes-gateway.service")


def test_another_user_cannot_stop_it(alice: Machine) -> None:
    start_by_hand(alice)
    alice.sh("chmod -R a+rX /home/alice; chmod 644 /home/alice/.hermes/gateway.lock")
    ran = alice.run(
        "hermes", "gateway", "stop", user="daemon", variables={"HERMES_HOME": "/home/alice/.hermes"}
    )
    assert ran.status == 1
    assert "another user" in ran.err
    assert running(alice)


def test_one_that_another_unit_runs_is_left_to_that_unit(alice: Machine) -> None:
    alice.sh(f"{RUN} --unit=hermes-agent hermes gateway run")
    alice.wait(lambda: running(alice), "the gateway")
    status = alice.run("hermes", "gateway", "status", user="alice")
    assert "hermes-agent.service" in status.out
    for verb in ("stop", "restart"):
        ran = alice.run("hermes", "gateway", verb, user="alice")
        assert ran.status == 1
        assert f"systemctl {verb} hermes-agent.service" in ran.err
    assert running(alice)


def test_one_in_another_pid_namespace_is_seen_but_not_signalled(alice: Machine) -> None:
    alice.sh(
        f"{RUN} --unit=hermes-agent unshare --map-root-user --pid --fork --mount-proc"
        " hermes gateway run"
    )
    alice.wait(lambda: running(alice), "the gateway")
    status = alice.run("hermes", "gateway", "status", user="alice")
    assert "another PID namespace" in status.out
    ran = alice.run("hermes", "gateway", "stop", user="alice")
    assert ran.status == 1
    assert "where it runs" in ran.err
    assert running(alice)
