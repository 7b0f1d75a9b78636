"""`hermes deploy apply` says what it is going to do, and takes no running agent down in vain."""

import json
from collections.abc import Iterator

import pytest

from tests.systemd.deployed import KEY, Deployed
from tests.systemd.machine import Machine

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian


@pytest.fixture
def deployed(machine: Machine) -> Iterator[Deployed]:
    deployed = Deployed(machine)
    yield deployed
    machine.run("hermes", "deploy", "remove", deployed.name)
    deployed.clear()


def test_a_running_agent_is_left_alone_where_a_secret_is_missing(deployed: Deployed) -> None:
    deployed.apply().ok()
    pid = deployed.pid
    ran = deployed.apply(environmentFiles=["/etc/secrets/none.env"])
    assert ran.status == 1
    assert "/etc/secrets/none.env: No such file or directory; nothing was changed" in ran.err
    assert deployed.pid == pid
    assert json.loads(deployed.apply("--json").ok())["changes"] == []


def test_a_rotated_secret_is_handed_over(deployed: Deployed) -> None:
    deployed.secret("key", "the-old-key-of-the-model")
    deployed.declared["secrets"] = {"model.api_key": "/etc/secrets/key"}
    deployed.start_model()
    deployed.apply().ok()
    assert json.loads(deployed.apply("--json").ok())["service"] == "unchanged"
    for rotate in (
        lambda: deployed.secret("key", "the-new-key-of-the-model"),
        lambda: deployed.secrets(API_SERVER_KEY=KEY[::-1]),
    ):
        rotate()
        outcome = json.loads(deployed.apply("--json").ok())
        assert outcome["changes"] == ["hand over changed variables and secrets"]
        assert outcome["service"] == "restarted"
    deployed.say("hello")
    assert "the-new-key" in (deployed.machine.mnt / "seen").read_text()
    assert json.loads(deployed.apply("--json").ok())["service"] == "unchanged"


def test_an_engine_that_is_not_there_is_missed_before_anything_is_written(
    deployed: Deployed,
) -> None:
    deployed.apply().ok()
    pid = deployed.pid
    ran = deployed.apply(container={"enable": True}, packageRoots=["/opt/hermes"])
    assert ran.status == 1
    assert "The container engine docker is not installed" in ran.err
    assert deployed.pid == pid
    assert json.loads(deployed.apply("--json").ok())["changes"] == []


def test_settings_without_effect_are_said(deployed: Deployed) -> None:
    ran = deployed.apply("--dry-run", settings={"model": {"defaultt": "x"}})
    assert "model.defaultt is not a known key; did you mean model.default?" in ran.err
    assert ran.status == 0


def test_what_keeps_on_failing_leads_to_the_journal(deployed: Deployed) -> None:
    deployed.machine.sh("rm /etc/secrets/agent.env")
    assert deployed.apply().status == 1
    ran = deployed.machine.run("hermes", "deploy", "status")
    assert ran.status == 3
    assert f"journalctl -u {deployed.unit}" in ran.out


def test_nobody_can_hold_up_who_deploys(deployed: Deployed) -> None:
    deployed.machine.sh(
        "systemd-run -q --collect --unit=holding --uid=nobody"
        " flock /etc/systemd/system sleep infinity"
    )
    deployed.apply().ok()
    deployed.machine.sh("systemctl is-active holding; systemctl stop holding")


def test_purging_leaves_what_is_mounted_in_the_state(deployed: Deployed) -> None:
    machine = deployed.machine
    deployed.apply().ok()
    machine.sh(
        "mkdir -p /srv/papers /var/lib/hermes/workspace/papers; touch /srv/papers/one;"
        " mount --bind /srv/papers /var/lib/hermes/workspace/papers"
    )
    ran = machine.run("hermes", "deploy", "remove", "--purge", "--yes")
    machine.sh("umount /var/lib/hermes/workspace/papers; test -e /srv/papers/one")
    assert ran.status == 1
    assert "/var/lib/hermes/workspace/papers is mounted in /var/lib/hermes" in ran.err
