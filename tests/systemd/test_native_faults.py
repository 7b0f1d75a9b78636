"""What is wrong with a native deployment is said in a sentence, and mended without a trace."""

import json
from collections.abc import Iterator

import pytest

from tests.systemd.deployed import KEY, SETTINGS, Deployed
from tests.systemd.machine import Machine

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian

HOME = "/var/lib/hermes/.hermes"

HOSTILE = (
    "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "PYTHONPATH", "PYTHONSTARTUP", "GCONV_PATH",
    "GLIBC_TUNABLES", "LOCPATH", "LOCALE_ARCHIVE", "NLSPATH", "TMPDIR", "MALLOC_CHECK_", "BASH_ENV",
    "ENV", "IFS", "SSL_CERT_FILE", "SYSTEMD_LOG_TARGET", "LISTEN_FDS", "PATH", "HOME",
)  # fmt: skip

SPY = """\
#!/opt/spied/bin/python -I
import sys
from pathlib import Path
if sys.argv[1:3] == ["deploy", "prepare"]:
    lines = Path("/proc/self/environ").read_bytes().replace(bytes(1), b"\\n")
    Path("/root/seen").write_bytes(lines)
from hermes_agent.cli.entry import main
main()
"""


@pytest.fixture
def deployed(machine: Machine) -> Iterator[Deployed]:
    """What a test may apply; gone afterwards."""
    deployed = Deployed(machine)
    yield deployed
    deployed.clear()


def waits_for_mending(deployed: Deployed, sentence: str) -> None:
    """It says so again and again, and is not given up on."""
    deployed.machine.wait(
        lambda: sum(sentence in line for line in deployed.said()) >= 2, "the second attempt"
    )
    assert deployed.active != "failed"


def comes_up(deployed: Deployed) -> None:
    deployed.machine.wait(lambda: deployed.active == "active", "the service")


@pytest.mark.parametrize("missing", ["agent.env", "key"])
def test_a_missing_secret_is_named_and_waited_for(deployed: Deployed, missing: str) -> None:
    deployed.secret("key", "the-key-of-the-model")
    deployed.machine.sh(f"rm /etc/secrets/{missing}")
    ran = deployed.apply(secrets={"model.api_key": "/etc/secrets/key"})
    assert ran.status == 1
    sentence = f"/etc/secrets/{missing}: No such file or directory"
    assert sentence in ran.err
    assert "systemd tries again" in ran.err
    waits_for_mending(deployed, sentence)
    if missing == "key":
        deployed.secret("key", "the-key-of-the-model")
    else:
        deployed.secrets(API_SERVER_KEY=KEY)
    comes_up(deployed)


def test_a_wrong_configuration_is_not_tried_again(deployed: Deployed) -> None:
    machine = deployed.machine
    deployed.apply().ok()
    machine.sh(f"echo 'agent: {{max_turns: many}}' > {HOME}/config.yaml")
    machine.run("systemctl", "restart", deployed.unit)
    machine.wait(lambda: deployed.active == "failed", "the end")
    assert machine.show(deployed.unit, "ExecMainStatus") == "78"
    assert machine.show(deployed.unit, "NRestarts") == "0"
    assert any("agent.max_turns" in line for line in deployed.said())
    ran = deployed.apply()
    assert ran.status == 78
    assert "agent.max_turns" in ran.err
    status = machine.run("hermes", "deploy", "status")
    assert status.status == 3
    assert "its configuration is wrong" in status.out


def test_a_wrong_specification_ends_the_service_for_good_and_a_right_one_starts_it(
    deployed: Deployed,
) -> None:
    machine = deployed.machine
    deployed.apply().ok()
    installed = f"/etc/hermes-agent/specifications/{deployed.name}.json"
    right = machine.sh(f"cat {installed}")
    machine.write(installed, right.replace('"restart": "always"', '"restart": "sometimes"'))
    machine.run("systemctl", "restart", deployed.unit)
    machine.wait(lambda: deployed.active == "failed", "the end")
    assert machine.show(deployed.unit, "ExecMainStatus") == "78"
    assert machine.show(deployed.unit, "NRestarts") == "0"
    assert any("restart: invalid enum value 'sometimes'" in line for line in deployed.said())
    machine.write(installed, right)
    machine.run("systemctl", "restart", deployed.unit).ok()
    assert deployed.active == "active"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"settings": {"agent": {"max_turns": "many"}}}, "settings: agent.max_turns"),
        ({"restart": "sometimes"}, "restart: "),
        ({"restartSecs": 5}, "restartSecs is not known; did you mean restartSec?"),
        ({"stateDir": "var/lib/hermes"}, "stateDir: expected an absolute path"),
        ({"secrets": {"a b": "/x"}}, "systemd takes no credential called 'a b'"),
        ({"hardening": {"settings": {"Umask\nUser": "root"}}}, "is not the name of a directive"),
        ({"hardening": {"settings": {"UMask": "0077\nUser=root"}}}, "is no value for a unit file"),
        ({"package": "/opt/none"}, "there is no program /opt/none/bin/hermes"),
        ({"manager": "nixos"}, "This specification belongs to nixos"),
        ({"configFile": "/root/none.yaml"}, "/root/none.yaml: No such file or directory"),
        ({"documents": {"../x": {"text": ""}}}, "documents: "),
    ],
)
def test_wrong_values_are_refused_before_anything_is_written(
    deployed: Deployed, changes: dict[str, object], sentence: str
) -> None:
    ran = deployed.apply(**changes)
    assert ran.status != 0
    assert sentence in ran.err
    deployed.machine.sh(
        "! test -e /etc/hermes-agent; ! id hermes;"
        " ! test -e /etc/systemd/system/hermes-agent.service"
    )


def test_root_s_part_of_a_start_heeds_no_variable_of_the_environment_file(
    deployed: Deployed,
) -> None:
    """systemd gives the file of the last start to what runs as root before this one, too."""
    machine = deployed.machine
    machine.sh("rm -rf /opt/spied; cp -a /opt/hermes /opt/spied")
    machine.write("/opt/spied/bin/hermes", SPY)
    hostile = {name: f"/mnt/evil:{name}" for name in HOSTILE}
    deployed.secrets(
        API_SERVER_KEY=KEY, **hostile, TRICK='"one\nLD_PRELOAD=/mnt/evil.so\nGCONV_PATH=/mnt"'
    )
    deployed.apply(package="/opt/spied").ok()
    machine.sh("rm /root/seen")
    deployed.restart()
    seen = machine.sh("cat /root/seen").splitlines()
    assert [line for line in seen if not line.startswith("PATH=")] == []
    assert "/mnt" not in seen[0]
    # What /usr/bin/env itself has, which throws it all away: nothing that a program heeds before
    # it has begun.
    environment = machine.sh(f"xargs -0 -n 1 echo < /proc/{deployed.pid}/environ")
    assert "TMPDIR=/mnt/evil:TMPDIR" in environment
    given = machine.sh(
        "systemd-run -q --pipe --wait -p EnvironmentFile=/run/hermes-agent/hermes-agent/environment"
        " env -0 | xargs -0 printf '%q\\n'"
    )
    names = {line.partition("=")[0].lstrip("$'") for line in given.splitlines()}
    assert "TRICK" in names
    assert not {
        name
        for name in names
        if name.startswith(("LD_", "PYTHON", "LOCALE_ARCHIVE"))
        or name in ("GCONV_PATH", "GLIBC_TUNABLES", "LOCPATH", "NLSPATH")
    }


def test_a_package_that_others_can_change_is_refused(deployed: Deployed) -> None:
    machine = deployed.machine
    machine.sh("useradd other; cp -a /opt/hermes /opt/own; chown other /opt/own/lib")
    ran = deployed.apply(package="/opt/own")
    assert "/opt/own/lib belongs to uid" in ran.err
    assert "runs the package as root" in ran.err
    machine.sh("chown root /opt/own/lib; chmod 777 /opt/own")
    assert "/opt/own may be written by others (mode 0777)" in deployed.apply(package="/opt/own").err
    machine.sh("chmod 755 /opt/own; mv /opt/own /home/own")
    assert "which the service does not see" in deployed.apply(package="/home/own").err
    machine.sh("rm -r /home/own; userdel other")


def test_only_root_applies_for_the_machine(deployed: Deployed) -> None:
    machine = deployed.machine
    path = deployed.write()
    machine.sh(f"cp {path} /mnt/spec.json; chmod 644 /mnt/spec.json")
    drop = "setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/"
    for command in ("apply /mnt/spec.json", "remove"):
        said = machine.sh(f"{drop} hermes deploy {command} 2>&1 || true")
        assert "Only root can change services of the machine" in said


def test_a_name_or_a_state_directory_is_not_given_twice(deployed: Deployed) -> None:
    machine = deployed.machine
    deployed.apply().ok()
    pid = deployed.pid
    ran = deployed.apply(stateDir="/var/lib/other")
    assert "another deployment called hermes-agent, with its state in /var/lib/hermes" in ran.err
    for place in ("/var/lib/hermes", "/var/lib/hermes/inner"):
        ran = deployed.apply(name="second", stateDir=place)
        assert f"stateDir {place}: the deployment hermes-agent has its state" in ran.err
    ran = deployed.apply(name="dbus", stateDir="/var/lib/other")
    assert "There is a service dbus.service already" in ran.err
    machine.write("/etc/systemd/system/third.service", "[Service]\nExecStart=/bin/true\n")
    ran = deployed.apply(name="third", stateDir="/var/lib/other")
    assert "hermes deploy apply did not write it" in ran.err
    assert "did not write" in machine.run("hermes", "deploy", "remove", "third").err
    machine.sh("test -e /etc/systemd/system/third.service; rm /etc/systemd/system/third.service")
    assert deployed.pid == pid


def test_two_deployments_live_side_by_side(deployed: Deployed) -> None:
    machine = deployed.machine
    second = Deployed(machine, "second")
    second.declared |= {"name": "second", "user": "second", "group": "second"}
    second.declared |= {"stateDir": "/var/lib/second", "environment": {}}
    try:
        deployed.apply().ok()
        second.apply().ok()
        found = json.loads(machine.run("hermes", "deploy", "status", "--json").ok())
        assert [(each["name"], each["active"]) for each in found] == [
            ("hermes-agent", "active"),
            ("second", "active"),
        ]
        machine.run("hermes", "deploy", "remove", "second", "--purge", "--yes").ok()
        assert deployed.active == "active"
    finally:
        second.clear()
        machine.run("userdel", "second")


def test_a_user_that_was_deleted_is_missed_by_name(deployed: Deployed) -> None:
    machine = deployed.machine
    deployed.apply().ok()
    machine.sh(f"systemctl stop {deployed.unit}; userdel hermes")
    machine.run("systemctl", "start", deployed.unit)
    words = machine.run("journalctl", "-u", deployed.unit, "-o", "cat", "--no-pager").ok()
    assert "Failed to determine user credentials" in words
    status = machine.run("hermes", "deploy", "status")
    assert status.status == 3
    assert "there is no group hermes; hermes deploy apply makes it anew" in status.out
    ran = deployed.apply(createUser=False)
    assert "There is no group hermes, and createUser is false" in ran.err
    deployed.apply().ok()
    assert deployed.active == "active"


def test_a_state_directory_of_somebody_else_is_left_alone(deployed: Deployed) -> None:
    machine = deployed.machine
    machine.sh("useradd other; install -d -o other -m 755 /var/lib/hermes")
    machine.sh("touch /var/lib/hermes/precious")
    ran = deployed.apply()
    assert ran.status == 1
    assert "/var/lib/hermes belongs to uid" in ran.err
    assert "nothing was changed" in ran.err
    assert machine.sh("ls /var/lib/hermes").split() == ["precious"]
    machine.sh("userdel other")


def test_a_full_disk_breaks_nothing_and_the_next_attempt_mends_it(deployed: Deployed) -> None:
    machine = deployed.machine
    machine.sh("groupadd -r hermes; useradd -r -g hermes -d /var/lib/hermes hermes")
    machine.sh("mkdir /var/lib/hermes; mount -t tmpfs -o size=256k tmpfs /var/lib/hermes")
    machine.sh("chown hermes:hermes /var/lib/hermes; chmod 750 /var/lib/hermes")
    machine.sh("head -c 1M /dev/zero > /var/lib/hermes/ballast 2>/dev/null || true")
    try:
        ran = deployed.apply()
        assert ran.status == 1
        assert "No space left on device" in ran.err
        machine.sh(f"! test -s {HOME}/config.yaml; ! ls /etc/hermes-agent/homes/*.json")
        machine.sh("mount -o remount,size=64M /var/lib/hermes; rm /var/lib/hermes/ballast")
        comes_up(deployed)
        machine.sh(f"test -s {HOME}/config.yaml")
    finally:
        machine.run("systemctl", "stop", deployed.unit)
        machine.run("umount", "/var/lib/hermes")


def test_hardening_can_be_loosened_and_left_out(deployed: Deployed) -> None:
    machine = deployed.machine
    loose = {"settings": {"PrivateTmp": False, "RestrictAddressFamilies": "AF_UNIX AF_INET"}}
    deployed.apply(hardening=loose).ok()
    assert machine.show(deployed.unit, "PrivateTmp") == "no"
    assert machine.show(deployed.unit, "ProtectSystem") == "strict"
    deployed.apply(hardening={"enable": False}).ok()
    assert machine.show(deployed.unit, "ProtectSystem") == "no"
    assert machine.show(deployed.unit, "NoNewPrivileges") == "no"
    assert machine.show(deployed.unit, "UMask") == "0007"


def test_the_full_set_holds_where_no_command_runs_in_the_service(deployed: Deployed) -> None:
    machine = deployed.machine
    deployed.apply(settings={**SETTINGS, "terminal": {"backend": "docker"}}).ok()
    for name in ("MemoryDenyWriteExecute", "RestrictNamespaces"):
        assert machine.show(deployed.unit, name) == "yes"
    assert machine.show(deployed.unit, "ProcSubset") == "pid"


def test_the_daemon_itself_needs_nothing_of_what_is_relaxed(deployed: Deployed) -> None:
    deployed.start_model()
    full = {"MemoryDenyWriteExecute": True, "RestrictNamespaces": True, "ProcSubset": "pid"}
    deployed.apply(hardening={"settings": full}).ok()
    assert deployed.say("hello") == "hello"
    result = json.loads(deployed.do("unshare --user true; echo $?"))
    assert result["output"].split()[-1] != "0"


def test_a_damaged_installation_is_said_and_can_be_removed(deployed: Deployed) -> None:
    machine = deployed.machine
    deployed.apply().ok()
    machine.sh("echo broken > /etc/hermes-agent/specifications/hermes-agent.json")
    assert "Fault:" in machine.run("hermes", "deploy", "status").out
    assert "hermes deploy remove hermes-agent" in deployed.apply().err
    ran = machine.run("hermes", "deploy", "remove", "--purge", "--yes")
    assert "its specification cannot be read" in ran.err
    machine.run("hermes", "deploy", "remove").ok()
    machine.sh(f"test -e {HOME}/config.yaml")
    deployed.apply().ok()
    assert deployed.active == "active"


def test_two_at_a_time_wait_for_each_other_and_restart_once(deployed: Deployed) -> None:
    deployed.apply().ok()
    path = deployed.write(restartSec=9)
    apply = f"hermes deploy apply {path}"
    said = deployed.machine.sh(f"{apply} & first=$!; {apply}; wait $first")
    assert said.count("runs anew") == said.count("nothing was changed") == 1
    assert sum("the gateway is up" in line for line in deployed.said()) == 2
