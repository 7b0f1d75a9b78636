"""`hermes deploy apply`, `status` and `remove` in native mode, under a real systemd."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.systemd.deployed import KEY, SETTINGS, Deployed
from tests.systemd.machine import Machine

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian

HOME = "/var/lib/hermes/.hermes"
INSTALLED = "/etc/hermes-agent/specifications/hermes-agent.json"


@pytest.fixture
def deployed(machine: Machine) -> Iterator[Deployed]:
    """What a test may apply; gone afterwards."""
    deployed = Deployed(machine)
    yield deployed
    deployed.clear()


def settings(**changes: Any) -> dict[str, Any]:
    return {**SETTINGS, **changes}


def starts(deployed: Deployed) -> int:
    """How often the gateway came up."""
    return sum("the gateway is up" in line for line in deployed.said())


def test_a_specification_becomes_a_service_that_answers(deployed: Deployed) -> None:
    machine = deployed.machine
    deployed.start_model()
    ran = deployed.apply(documents={"SOUL.md": {"text": "You are brief."}})
    assert "hermes-agent.service runs" in ran.ok()
    assert machine.show(deployed.unit, "UnitFileState") == "enabled"
    assert deployed.say("hello") == "hello"
    listing = machine.sh(f"stat -c '%U:%G %a %n' /var/lib/hermes {HOME} {HOME}/config.yaml")
    assert listing.split("\n")[:3] == [
        "hermes:hermes 750 /var/lib/hermes",
        f"hermes:hermes 2770 {HOME}",
        f"hermes:hermes 640 {HOME}/config.yaml",
    ]
    account = machine.sh("getent passwd hermes").strip().split(":")
    assert account[5] == "/var/lib/hermes"
    assert account[6].endswith("nologin")
    assert int(account[2]) < 1000
    assert machine.sh(f"stat -c '%U %a' {INSTALLED}").strip() == "root 600"


def test_applying_the_same_again_leaves_the_service_alone(deployed: Deployed) -> None:
    deployed.apply().ok()
    pid = deployed.pid
    ran = deployed.apply()
    assert ran.ok() == "hermes-agent.service runs as described; nothing was changed.\n"
    assert json.loads(deployed.apply("--json").ok())["service"] == "unchanged"
    assert deployed.pid == pid
    assert starts(deployed) == 1


def test_a_changed_specification_restarts_once_and_counts(deployed: Deployed) -> None:
    machine = deployed.machine
    deployed.apply().ok()
    outcome = json.loads(deployed.apply("--json", settings=settings(timezone="UTC")).ok())
    assert outcome["service"] == "restarted"
    assert outcome["changes"] == [f"change {INSTALLED}"]
    assert starts(deployed) == 2
    assert "timezone: UTC" in machine.sh(f"cat {HOME}/config.yaml")
    deployed.apply(settings=settings(timezone="UTC")).ok()
    assert starts(deployed) == 2
    deployed.apply().ok()
    assert "timezone" not in machine.sh(f"cat {HOME}/config.yaml")


def test_what_would_change_can_be_asked_for_without_changing_it(deployed: Deployed) -> None:
    machine = deployed.machine
    ran = deployed.apply("--dry-run")
    assert ran.ok().splitlines() == [
        "Would make the account hermes (groupadd)",
        "Would make the account hermes (useradd)",
        f"Would write {INSTALLED}",
        "Would write /etc/systemd/system/hermes-agent.service",
        "hermes-agent.service would be started.",
    ]
    machine.sh("! id hermes; ! test -e /etc/hermes-agent; ! test -e /etc/systemd/system/hermes-*")


def test_what_was_installed_without_a_start_is_started_by_the_next_apply(
    deployed: Deployed,
) -> None:
    deployed.apply().ok()
    pid = deployed.pid
    deployed.apply("--no-start", restartSec=7).ok()
    assert deployed.pid == pid
    status = json.loads(deployed.machine.run("hermes", "deploy", "status", "--json").ok())
    assert status[0]["pending"] is True
    assert json.loads(deployed.apply("--json", restartSec=7).ok())["service"] == "restarted"
    assert deployed.machine.show(deployed.unit, "RestartUSec") == "7s"


def test_documents_and_a_configuration_given_by_path_count_as_they_were_when_applied(
    deployed: Deployed,
) -> None:
    machine = deployed.machine
    text = f"model: {json.dumps(SETTINGS['model'])}\ntimezone: UTC\n"
    machine.write("/srv/config.yaml", text)
    machine.write("/srv/NOTES.md", "first")
    changes: dict[str, Any] = {
        "settings": {},
        "configFile": "/srv/config.yaml",
        "documents": {"NOTES.md": {"path": "/srv/NOTES.md"}},
    }
    deployed.apply(**changes).ok()
    notes = "/var/lib/hermes/workspace/NOTES.md"
    assert machine.sh(f"cat {notes}") == "first"
    assert "timezone: UTC" in machine.sh(f"cat {HOME}/config.yaml")
    machine.write("/srv/NOTES.md", "second")
    machine.write("/srv/config.yaml", "broken: [")
    deployed.restart()
    assert machine.sh(f"cat {notes}") == "first"
    ran = deployed.apply(**changes)
    assert ran.status == 78
    assert "/srv/config.yaml" in ran.err
    machine.write("/srv/config.yaml", text)
    assert json.loads(deployed.apply("--json", **changes).ok())["service"] == "restarted"
    assert machine.sh(f"cat {notes}") == "second"
    copies = machine.sh("ls /etc/hermes-agent/specifications/hermes-agent.files").split()
    assert len(copies) == 2
    machine.sh("rm -r /srv/config.yaml /srv/NOTES.md")


def test_extra_arguments_arrive_as_they_are(deployed: Deployed) -> None:
    deployed.apply(extraArgs=["--verbose"]).ok()
    command = deployed.machine.sh(f"tr '\\0' ' ' < /proc/{deployed.pid}/cmdline")
    assert command.strip().endswith("gateway run --replace --verbose")
    odd = "--no such $HOME ${PATH} %h \"'\\ é"
    ran = deployed.apply(extraArgs=[odd])
    assert ran.status != 0
    assert repr(odd) in ran.err


def test_crashes_leave_a_refreshed_login_as_it_is(deployed: Deployed) -> None:
    machine = deployed.machine
    deployed.secret("auth.json", '{"logins": {"one": {"token": "first"}}}')
    forced = {"authFile": "/etc/secrets/auth.json", "authFileForceOverwrite": True}
    deployed.apply(**forced).ok()
    refreshed = '{"logins": {"one": {"token": "refreshed"}}}'
    machine.sh(f"echo '{refreshed}' > {HOME}/auth.json")
    for _ in range(2):
        pid = deployed.pid
        machine.run("systemctl", "kill", "--kill-who=main", "--signal=SEGV", deployed.unit).ok()
        machine.wait(
            lambda pid=pid: deployed.pid not in (0, pid) and deployed.active == "active", "it"
        )
        assert machine.sh(f"cat {HOME}/auth.json").strip() == refreshed
    deployed.apply(**forced).ok()
    assert machine.sh(f"cat {HOME}/auth.json").strip() == refreshed
    deployed.secret("auth.json", '{"logins": {"one": {"token": "second"}}}')
    assert json.loads(deployed.apply("--json", **forced).ok())["service"] == "restarted"
    assert "second" in machine.sh(f"cat {HOME}/auth.json")


def test_a_rotated_secret_needs_a_restart_and_nothing_else(deployed: Deployed) -> None:
    deployed.start_model()
    deployed.secret("key", "the-old-key-of-the-model")
    deployed.declared["secrets"] = {"model.api_key": "/etc/secrets/key"}
    deployed.apply().ok()
    deployed.say("hello")
    deployed.secret("key", "the-new-key-of-the-model")
    deployed.secrets(API_SERVER_KEY=KEY[::-1])
    deployed.restart()
    deployed.say("hello")
    seen = (deployed.machine.mnt / "seen").read_text().split("\n")
    assert (seen[0], seen[-2]) == (
        "Bearer the-old-key-of-the-model",
        "Bearer the-new-key-of-the-model",
    )


def test_a_package_that_was_installed_anew_at_its_place_is_noticed(deployed: Deployed) -> None:
    machine = deployed.machine
    machine.sh("rm -rf /opt/own; cp -a /opt/hermes /opt/own")
    deployed.apply(package="/opt/own").ok()
    status = ("hermes", "deploy", "status")
    assert "restart is due" not in machine.run(*status).ok()
    assert "nothing was changed" in deployed.apply(package="/opt/own").ok()
    # As pip and uv do: the program is written anew, whatever is in it.
    machine.sh(
        "cp /opt/hermes/bin/hermes /opt/own/bin/new; mv /opt/own/bin/new /opt/own/bin/hermes"
    )
    assert "a restart is due: /opt/own was installed anew" in machine.run(*status).ok()
    (seen,) = json.loads(machine.run(*status, "--json").ok())
    assert (seen["replaced"], seen["pending"]) == (True, True)
    assert (
        "Would run what /opt/own holds now" in deployed.apply("--dry-run", package="/opt/own").ok()
    )
    outcome = json.loads(deployed.apply("--json", package="/opt/own").ok())
    assert outcome["service"] == "restarted"
    assert outcome["changes"] == ["run what /opt/own holds now"]
    assert "restart is due" not in machine.run(*status).ok()


def test_status_says_how_everything_is(deployed: Deployed) -> None:
    machine = deployed.machine
    ran = machine.run("hermes", "deploy", "status")
    assert "Nothing is deployed here" in ran.ok()
    deployed.apply().ok()
    ran = machine.run("hermes", "deploy", "status", "--json")
    (found,) = json.loads(ran.ok())
    assert found["applied"] == found["installed"]
    assert found["gate"].startswith("bubblewrap")
    expected = {
        "name": "hermes-agent",
        "unit": deployed.unit,
        "manager": "deploy",
        "mode": "native",
        "user": "hermes",
        "state_dir": "/var/lib/hermes",
        "active": "active",
        "enabled": "enabled",
        "pid": deployed.pid,
        "pending": False,
    }
    assert {name: found[name] for name in expected} == expected
    drop = "setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/"
    (seen,) = json.loads(machine.sh(f"{drop} hermes deploy status --json hermes-agent"))
    assert (seen["active"], seen["state_dir"]) == ("active", "/var/lib/hermes")
    machine.run("systemctl", "stop", deployed.unit).ok()
    ran = machine.run("hermes", "deploy", "status")
    assert ran.status == 3
    assert "hermes-agent: inactive" in ran.out


def test_removing_leaves_the_state_and_purging_does_not(deployed: Deployed) -> None:
    machine = deployed.machine
    deployed.apply().ok()
    assert "The state in /var/lib/hermes was kept" in machine.run("hermes", "deploy", "remove").ok()
    assert machine.show(deployed.unit, "LoadState") == "not-found"
    machine.sh(f"test -e {HOME}/config.yaml")
    left = "find /etc/hermes-agent /var/lib/hermes-agent /run/hermes-agent -name '*hermes-agent*'"
    assert machine.sh(f"{left} -mindepth 1") == ""
    assert machine.run("hermes", "deploy", "remove").status == 1
    deployed.apply().ok()
    machine.sh("mkdir /srv/precious; touch /srv/precious/x")
    machine.sh("ln -s /srv/precious /var/lib/hermes/workspace/link")
    ran = machine.run("hermes", "deploy", "remove", "--purge")
    assert ran.status == 130
    machine.sh("test -e /var/lib/hermes")
    machine.run("hermes", "deploy", "remove", "--purge", "--yes").ok()
    machine.sh("! test -e /var/lib/hermes; test -e /srv/precious/x; rm -r /srv/precious")


def test_a_person_deploys_for_themselves_without_root(machine: Machine) -> None:
    machine.sh("useradd -m alice; loginctl enable-linger alice")
    uid = machine.uid("alice")
    specification = {
        "package": "/opt/hermes",
        "scope": "user",
        "stateDir": "/home/alice/agent",
        "settings": SETTINGS,
        "documents": {"NOTES.md": {"text": "note"}},
    }
    machine.write("/home/alice/agent.json", json.dumps(specification))
    try:
        machine.wait(
            lambda: machine.show(f"user@{uid}.service", "ActiveState") == "active", "her manager"
        )
        machine.run("hermes", "deploy", "apply", "/home/alice/agent.json", user="alice").ok()
        assert machine.show("hermes-agent.service", "ActiveState", user="alice") == "active"
        assert machine.sh("cat /home/alice/agent/workspace/NOTES.md") == "note"
        ran = machine.run("hermes", "deploy", "status", "--user", "--json", user="alice")
        (found,) = json.loads(ran.ok())
        assert (found["scope"], found["active"], found["pending"]) == ("user", "active", False)
        unit = "/home/alice/.config/systemd/user/hermes-agent.service"
        ran = machine.run("systemd-analyze", "--user", "verify", unit, user="alice")
        assert (ran.status, ran.out, ran.err) == (0, "", "")
        machine.run("hermes", "deploy", "remove", "--user", "--purge", "-y", user="alice").ok()
        machine.sh(f"! test -e /home/alice/agent; ! test -e {unit}")
    finally:
        machine.run("loginctl", "disable-linger", "alice")
        machine.run("systemctl", "stop", f"user@{uid}.service")
        machine.run("userdel", "-rf", "alice")
