"""The machine's service under a real systemd."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.machine import Machine

UNIT = "hermes-gateway.service"
pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian

CONFIG = "model:\n  provider: custom\n  base_url: http://127.0.0.1:9/v1\n  default: none\n"
INSTALL = ("hermes", "gateway", "install", "--system", "--run-as-user", "hermes")


@pytest.fixture
def installed(machine: Machine) -> Iterator[Machine]:
    """A machine with the user `hermes`, and the service installed for it; gone afterwards."""
    machine.sh("useradd -m hermes; install -d -m 700 -o hermes /home/hermes/.hermes")
    configure(machine, CONFIG)
    machine.run(*INSTALL).ok()
    yield machine
    machine.run("systemctl", "stop", UNIT)
    machine.run("systemctl", "reset-failed", UNIT)
    machine.sh(
        f"rm -rf /etc/systemd/system/{UNIT}* /etc/systemd/system/*.wants/{UNIT};"
        " systemctl daemon-reload; userdel -rf hermes 2>/dev/null"
    )


def configure(machine: Machine, text: str) -> None:
    machine.write("/home/hermes/.hermes/config.yaml", text)
    machine.sh("chown hermes: /home/hermes/.hermes/config.yaml")


def drop_in(machine: Machine, text: str) -> None:
    machine.write(f"/etc/systemd/system/{UNIT}.d/test.conf", f"[Service]\n{text}\n")
    machine.sh("systemctl daemon-reload")


def state(machine: Machine) -> dict[str, object]:
    return json.loads(machine.sh("cat /home/hermes/.hermes/gateway_state.json"))


def main_pid(machine: Machine) -> int:
    return int(machine.show(UNIT, "MainPID"))


def test_an_installed_service_runs_and_starts_with_the_machine(installed: Machine) -> None:
    assert installed.show(UNIT, "ActiveState") == "active"
    assert installed.show(UNIT, "UnitFileState") == "enabled"
    assert "platforms connected" in installed.show(UNIT, "StatusText")
    assert state(installed)["gateway_state"] == "running"
    ran = installed.run("hermes", "gateway", "status", "--system", "--json", "--deep")
    found = json.loads(ran.ok())
    assert found["running"] is found["holder"]["here"] is True
    assert found["holder"]["pid"] == main_pid(installed)
    assert found["service"]["starts_with_machine"] is True
    assert found["service"]["outdated"] is False


def test_systemd_has_nothing_to_say_against_the_installed_unit(installed: Machine) -> None:
    ran = installed.run("systemd-analyze", "verify", f"/etc/systemd/system/{UNIT}")
    assert (ran.status, ran.out, ran.err) == (0, "", "")


def test_a_daemon_that_never_says_ready_has_not_started(installed: Machine) -> None:
    drop_in(
        installed,
        "ExecStart=\nExecStart=/bin/sleep 1000\nTimeoutStartSec=1\nRestart=no\nTimeoutStopSec=1",
    )
    ran = installed.run("hermes", "gateway", "restart", "--system")
    assert ran.status == 1
    assert "journalctl" in ran.err
    assert installed.show(UNIT, "Result") == "timeout"


def test_installing_again_changes_nothing_and_harms_nothing(installed: Machine) -> None:
    before = installed.sh(f"cat /etc/systemd/system/{UNIT}")
    installed.run(*INSTALL).ok()
    assert installed.sh(f"cat /etc/systemd/system/{UNIT}") == before
    assert installed.show(UNIT, "ActiveState") == "active"


def test_a_configuration_that_cannot_work_is_not_tried_again(installed: Machine) -> None:
    configure(installed, "agent:\n  max_turns: many\n")
    ran = installed.run("hermes", "gateway", "restart", "--system")
    assert ran.status == 78
    assert "hermes doctor" in ran.err
    assert installed.show(UNIT, "ActiveState") == "failed"
    assert installed.show(UNIT, "ExecMainStatus") == "78"
    assert installed.show(UNIT, "NRestarts") == "0"
    status = installed.run("hermes", "gateway", "status", "--system")
    assert status.status == 3
    assert "configuration cannot be used" in status.out


def test_a_planned_restart_is_one_and_no_failure(installed: Machine) -> None:
    pid = main_pid(installed)
    installed.run("systemctl", "kill", "--kill-who=main", "--signal=USR1", UNIT).ok()
    installed.wait(
        lambda: installed.show(UNIT, "ActiveState") == "active" and main_pid(installed) != pid,
        "the restart",
    )
    assert installed.show(UNIT, "NRestarts") == "1"
    assert installed.show(UNIT, "Result") == "success"


def test_a_killed_daemon_comes_back(installed: Machine) -> None:
    pid = main_pid(installed)
    installed.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", UNIT).ok()
    installed.wait(
        lambda: installed.show(UNIT, "ActiveState") == "active" and main_pid(installed) != pid,
        "the restart",
    )


def test_a_daemon_that_hangs_is_killed_by_the_watchdog_and_started_again(
    installed: Machine,
) -> None:
    drop_in(installed, "WatchdogSec=2\nRestartSec=100ms")
    installed.run("systemctl", "restart", UNIT).ok()
    pid = main_pid(installed)
    installed.run("systemctl", "kill", "--kill-who=main", "--signal=STOP", UNIT).ok()
    installed.wait(
        lambda: (
            main_pid(installed) not in (0, pid) and installed.show(UNIT, "ActiveState") == "active"
        ),
        "the watchdog",
    )
    said = installed.run("journalctl", "-u", UNIT, "--no-pager").ok()
    assert "Watchdog timeout" in said


def test_a_daemon_that_is_well_is_left_alone_by_the_watchdog(installed: Machine) -> None:
    drop_in(installed, "WatchdogSec=1")
    installed.run("systemctl", "restart", UNIT).ok()
    pid = main_pid(installed)
    began = int(installed.show(UNIT, "WatchdogTimestampMonotonic"))
    installed.wait(
        lambda: int(installed.show(UNIT, "WatchdogTimestampMonotonic")) > began + 3_000_000,
        "three times the watchdog's time",
    )
    assert main_pid(installed) == pid
    assert installed.show(UNIT, "NRestarts") == "0"


def test_stopping_drains_and_leaves_no_pid_file(installed: Machine) -> None:
    installed.run("hermes", "gateway", "stop", "--system").ok()
    assert installed.show(UNIT, "ActiveState") == "inactive"
    assert installed.show(UNIT, "Result") == "success"
    assert state(installed)["gateway_state"] == "stopped"
    installed.sh("! test -e /home/hermes/.hermes/gateway.pid")
    messages = [entry["MESSAGE"] for entry in installed.journal(UNIT)]
    assert any("drained" in message for message in messages)
    assert installed.run("hermes", "gateway", "status", "--system").status == 3
    installed.run("hermes", "gateway", "start", "--system").ok()
    assert installed.run("hermes", "gateway", "status", "--system").status == 0


def test_a_turn_that_runs_when_the_machine_stops_is_finished_first(installed: Machine) -> None:
    script = Path(__file__).with_name("said.py").read_text()
    installed.write("/opt/said.py", script)
    installed.write("/opt/model.py", Path(__file__).with_name("gated_model.py").read_text())
    installed.sh("systemd-run -q --unit=model python3 /opt/model.py 7171 /mnt/asked /mnt/go")
    configure(installed, CONFIG.replace(":9/", ":7171/"))
    installed.sh("echo GATEWAY_ALLOW_ALL_USERS=true > /home/hermes/.hermes/.env")
    installed.sh("chown hermes: /home/hermes/.hermes/.env")
    installed.run("systemctl", "restart", UNIT).ok()

    def ledger(*option: str) -> str:
        home = "/home/hermes/.hermes"
        return installed.run(
            "/opt/hermes/bin/python", "/opt/said.py", home, *option, user="hermes"
        ).ok()

    ledger()
    installed.wait((installed.mnt / "asked").exists, "the question")
    installed.run("systemctl", "stop", "--no-block", UNIT).ok()
    installed.wait(lambda: state(installed)["gateway_state"] == "draining", "the drain")
    assert installed.show(UNIT, "ActiveState") == "deactivating"
    assert "waiting for turns" in installed.show(UNIT, "StatusText")
    assert json.loads(ledger("--inbox")) == ["working"]
    (installed.mnt / "go").touch()
    installed.wait(lambda: installed.show(UNIT, "ActiveState") == "inactive", "the end")
    assert installed.show(UNIT, "Result") == "success"
    assert json.loads(ledger("--inbox")) == ["done"]
    assert any("It took a while." in text for text in json.loads(ledger("--outbox")))
    installed.sh("systemctl stop model")


def test_a_reload_reads_the_configuration_in_the_same_process(installed: Machine) -> None:
    pid = main_pid(installed)
    installed.run("systemctl", "reload", UNIT).ok()
    installed.wait(
        lambda: any("was read again" in entry["MESSAGE"] for entry in installed.journal(UNIT)),
        "the reload",
    )
    installed.wait(lambda: installed.show(UNIT, "ActiveState") == "active", "the end of it")
    assert main_pid(installed) == pid


def test_the_journal_knows_how_grave_a_line_is(installed: Machine) -> None:
    configure(installed, "agent:\n  max_turns: many\n")
    installed.run("systemctl", "reload", UNIT).ok()
    installed.wait(
        lambda: any(entry["PRIORITY"] == "3" for entry in installed.journal(UNIT)), "the error"
    )
    ours = [entry for entry in installed.journal(UNIT) if entry["MESSAGE"].startswith("daemon: ")]
    assert {entry["PRIORITY"] for entry in ours} == {"6", "3"}
    assert all("<" not in entry["MESSAGE"][:3] for entry in ours)
    assert installed.show(UNIT, "ActiveState") == "active"


PROBE = Path(__file__).with_name("probe.py")


def test_the_service_is_confined_to_its_users_home(installed: Machine) -> None:
    installed.sh("touch /home/other; chmod 666 /home/other")
    installed.write("/opt/probe.py", PROBE.read_text())
    drop_in(
        installed,
        "ExecStart=\nExecStart=/usr/bin/python3 /opt/probe.py\nType=exec\nWatchdogSec=0\n"
        "Restart=no",
    )
    installed.run("systemctl", "restart", UNIT).ok()
    written = "/home/hermes/.hermes/probe.json"
    installed.wait(lambda: installed.run("test", "-e", written).status == 0, "the probe")
    found = json.loads(installed.sh(f"cat {written}"))
    assert found == {
        "write its HERMES_HOME": "done",
        "write its user's home": "done",
        "write /tmp": "done",
        "run bubblewrap": "done",
        "write another's file that all may write": "EROFS",
        "write /etc": "EROFS",
        "write /var/lib": "EROFS",
        "write /usr": "EROFS",
        "make a setuid file": "EPERM",
        "open a raw socket": "EAFNOSUPPORT",
        "mount": "EPERM",
        "change the host's name": "EPERM",
        "set the clock": "EPERM",
        "load a module": "EPERM",
        "capabilities": "0000000000000000",
        "no new privileges": "1",
    }
    # What it put into /tmp nobody else sees.
    installed.sh("! test -e /tmp/probe")


@pytest.fixture
def odd(machine: Machine) -> Iterator[Machine]:
    machine.sh("useradd -m odd")
    yield machine
    machine.sh(
        "systemctl stop 'hermes-gateway-*'; rm -rf /srv/* /etc/systemd/system/hermes-gateway-*;"
        " systemctl daemon-reload; userdel -rf odd 2>/dev/null"
    )


@pytest.mark.parametrize("home", ["/srv/a b/100%/$HOME ${x} 'é", '/srv/"q" \\n %h'])
def test_any_name_of_a_home_is_taken_as_it_is(odd: Machine, home: str) -> None:
    variables = {"HERMES_HOME": home}
    odd.write(f"{home}/config.yaml", CONFIG)
    odd.sh(f"chmod 700 {shlex.quote(home)}; chown -R odd: {shlex.quote(home)}")
    install = ("hermes", "gateway", "install", "--system", "--run-as-user", "odd")
    odd.run(*install, variables=variables).ok()
    status = odd.run("hermes", "gateway", "status", "--json", variables=variables)
    found = json.loads(status.ok())
    assert found["home"] == found["holder"]["home"] == home
    name = found["service"]["name"]
    assert name != UNIT
    verified = odd.run("systemd-analyze", "verify", f"/etc/systemd/system/{name}")
    assert verified.err == ""
    odd.run("hermes", "gateway", "uninstall", "--system", variables=variables).ok()
    assert odd.show(name, "LoadState") == "not-found"


def test_uninstalling_leaves_the_home_and_no_unit(installed: Machine) -> None:
    installed.run("hermes", "gateway", "uninstall", "--system").ok()
    assert installed.show(UNIT, "LoadState") == "not-found"
    assert installed.sh(f"find /etc/systemd -name '{UNIT}'") == ""
    installed.sh("test -e /home/hermes/.hermes/config.yaml")
    ran = installed.run("hermes", "gateway", "uninstall", "--system")
    assert "not installed" in ran.err


def test_only_root_installs_for_the_machine(installed: Machine) -> None:
    ran = installed.run("hermes", "gateway", "install", "--system", user="hermes")
    assert ran.status == 1
    assert "Only root" in ran.err


def test_root_is_a_choice_that_has_to_be_named(machine: Machine) -> None:
    ran = machine.run("hermes", "gateway", "install", "--system")
    assert ran.status == 2
    assert "--run-as-user" in ran.err


def test_a_unit_for_another_home_is_not_overwritten_unless_forced(installed: Machine) -> None:
    installed.sh("useradd -m second")
    options = ("install", "--system", "--run-as-user", "second")
    ran = installed.run("hermes", "gateway", *options)
    assert ran.status == 1
    assert "/home/hermes/.hermes" in ran.err
    assert installed.show(UNIT, "User") == "hermes"
    installed.run("hermes", "gateway", *options, "--force").ok()
    assert installed.show(UNIT, "User") == "second"
    installed.sh(f"systemctl stop {UNIT}; userdel -rf second 2>/dev/null")


def test_a_user_without_a_home_directory_is_refused_by_name(machine: Machine) -> None:
    ran = machine.run("hermes", "gateway", "install", "--system", "--run-as-user", "nobody")
    assert ran.status == 1
    assert "nobody has no home directory" in ran.err
    machine.sh(f"! test -e /etc/systemd/system/{UNIT}")


def test_a_program_that_the_user_cannot_reach_is_refused_before_it_fails(machine: Machine) -> None:
    machine.sh("useradd -m far; cp -a /opt/hermes /var/own; chmod 700 /var/own")
    ran = machine.run("/var/own/bin/python", "-m", "hermes_agent", *INSTALL[1:-1], "far")
    machine.sh("userdel -rf far 2>/dev/null; rm -rf /var/own")
    assert ran.status == 1
    assert "cannot run /var/own/bin/hermes" in ran.err
    machine.sh(f"! test -e /etc/systemd/system/{UNIT}")


def test_a_managed_home_installs_nothing(machine: Machine) -> None:
    machine.sh("useradd -m kept; install -d -o kept /home/kept/.hermes")
    machine.sh("touch /home/kept/.hermes/.managed")
    ran = machine.run("hermes", "gateway", "install", "--system", "--run-as-user", "kept")
    assert ran.status == 1
    assert "managed by NixOS" in ran.err
    machine.sh(f"! test -e /etc/systemd/system/{UNIT}; userdel -rf kept 2>/dev/null")
