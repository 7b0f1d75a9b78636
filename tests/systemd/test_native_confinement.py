"""What the agent can and cannot do in native mode: tried from inside, under a real systemd."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.deployed import KEY, Deployed
from tests.systemd.machine import Machine

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian

HERE = Path(__file__).parent
STATE = "/var/lib/hermes"
SECRET = "a-secret-of-the-model-0123456789"
SCORE = 20  # tenths, as systemd-analyze takes its threshold: 2.0


@pytest.fixture(scope="module")
def deployed(machine: Machine) -> Iterator[Deployed]:
    """The default specification, with a model; what runs here changes nothing in it."""
    deployed = Deployed(machine)
    machine.sh(
        "touch /opt/open; chmod 666 /opt/open; cp /usr/bin/id /opt/setuid-id;"
        " chmod 4755 /opt/setuid-id; useradd -m other;"
        " systemd-run -q --unit=others --uid=other sleep 1000"
    )
    for name in ("native_probe.py", "tool_probe.py"):
        machine.write(f"/opt/{name}", (HERE / name).read_text())
    machine.write("/opt/mcp_server.py", (HERE.parent / "servers" / "mcp_server.py").read_text())
    deployed.secret("key", SECRET)
    deployed.start_model()
    server = {"command": "/opt/hermes/bin/python", "args": ["/opt/mcp_server.py"]}
    deployed.apply(secrets={"model.api_key": "/etc/secrets/key"}, mcpServers={"demo": server}).ok()
    yield deployed
    deployed.clear()
    machine.sh("systemctl stop others; userdel -rf other 2>/dev/null; rm /opt/open /opt/setuid-id")


def test_the_service_is_denied_all_that_its_work_does_not_need(deployed: Deployed) -> None:
    machine = deployed.machine
    found_file = f"{STATE}/.hermes/found.json"
    deployed.drop_in(
        "ExecStartPost=/usr/bin/python3 /opt/native_probe.py"
        f" {STATE}/.hermes {STATE}/workspace {found_file}"
    )
    deployed.restart()
    found = json.loads(machine.sh(f"cat {found_file}"))
    machine.sh(f"rm {found_file} /etc/systemd/system/{deployed.unit}.d/test.conf")
    machine.sh("systemctl daemon-reload")
    agent = machine.uid("hermes")
    assert found == {
        "write its HERMES_HOME": "done",
        "write its working directory": "done",
        "write /tmp": "done",
        "write /dev/shm": "done",
        "run bubblewrap": "done",
        "write /etc/x": "EROFS",
        "write /usr/x": "EROFS",
        "write /var/lib/x": "EROFS",
        "write /opt/open": "EROFS",
        "write /etc/hermes-agent/homes/x.json": "EROFS",
        "write /etc/systemd/system/x.service": "EROFS",
        "write /home/x": "EACCES",
        "write /root/x": "EACCES",
        "write /run/x": "EACCES",
        "write /proc/sys/kernel/hostname": "EROFS",
        "write /proc/sysrq-trigger": found["write /proc/sysrq-trigger"],
        "write /sys/kernel/uevent_helper": "EROFS",
        "write /sys/fs/cgroup/cgroup.procs": "EROFS",
        "write /dev/kmsg": "EROFS",
        "read /etc/shadow": "EACCES",
        "read /etc/secrets/agent.env": "EACCES",
        "read /run/hermes-agent/hermes-agent/environment": "EACCES",
        "read /etc/hermes-agent/specifications/hermes-agent.json": "EACCES",
        "read /var/lib/hermes-agent/hermes-agent.json": "EACCES",
        "read /proc/1/environ": "ENOENT",
        "read /proc/kmsg": "EACCES",
        "read /dev/mem": "ENOENT",
        "list /home": "EACCES",
        "list /run/hermes-agent/.proc": "EACCES",
        "list it as root of a namespace": "EACCES",
        "unshare user": "done",
        "unshare mnt": "done",
        "unshare pid": "done",
        "unshare ipc": "done",
        "unshare net": "EPERM",
        "unshare uts": "EPERM",
        "unshare cgroup": "EPERM",
        "unshare time": "EPERM",
        "call init_module": "EPERM",
        "call kexec_load": "EPERM",
        "call bpf": "EPERM",
        "call perf_event_open": "EPERM",
        "call ptrace": "EPERM",
        "call swapon": "EPERM",
        "call reboot": "EPERM",
        "call open_by_handle_at": "EPERM",
        "call userfaultfd": "EPERM",
        "make a setuid file": "EPERM",
        "make a device": "EPERM",
        "mount": "EPERM",
        "chroot": "EPERM",
        "become root": "EPERM",
        "open a packet socket": "EAFNOSUPPORT",
        "open a raw socket": "EPERM",
        "open a vsock": "EAFNOSUPPORT",
        "listen below 1024": "EACCES",
        "change the host's name": "EPERM",
        "set the clock": "EPERM",
        "be real-time": "EPERM",
        "be another system": "EPERM",
        "signal the first process": "EPERM",
        "capabilities": ["0000000000000000"] * 5,
        "no new privileges": "1",
        "system calls filtered": "2",
        "owners of processes": [agent],
        "own": agent,
        "setuid program": str(agent),
        "disks": [],
        "umask": "0007",
    }
    assert found["write /proc/sysrq-trigger"] in ("ENOENT", "EROFS", "EACCES")
    # What it put into /tmp nobody else sees.
    machine.sh("! test -e /tmp/probe")


def test_commands_of_the_agent_reach_neither_its_state_nor_its_secrets(deployed: Deployed) -> None:
    result = deployed.do(f"python3 /opt/tool_probe.py {deployed.pid}; env")
    output = json.loads(result)["output"]
    found = json.loads(output.partition("\n")[0])
    home, workspace = f"{STATE}/.hermes", f"{STATE}/workspace"
    assert found.pop(f"write {workspace}/x") == "done"
    assert found.pop("write /tmp/x") == "done"
    hidden = ("state.db", "config.yaml", ".env", "auth.json", "gateway.pid", ".managed")
    for name in hidden:
        assert found.pop(f"read {home}/{name}") == "ENOENT"
        assert found.pop(f"write {home}/{name}") == "EROFS"
    assert found.pop("processes") == ["bash", "bwrap", "python3"]
    assert found.pop("sudo") != 0
    assert found.pop("systemctl") != 0
    assert found.pop("environ of the daemon") == "ENOENT"
    assert found.pop("credentials") in ([], "ENOENT", None)
    assert found.pop("move the home away") == "EBUSY"
    assert set(found.values()) <= {"EACCES", "EROFS", "EPERM", "ENOENT"}
    assert KEY not in result
    assert SECRET not in result
    assert "CREDENTIALS_DIRECTORY=/" not in output


def test_the_agent_works_within_what_is_allowed(deployed: Deployed) -> None:
    result = json.loads(
        deployed.do(
            "git init -q repository && cd repository && git config user.name A"
            " && git config user.email a@example.org && mkdir -p a/b && echo one > a/b/c"
            " && ln a/b/c a/b/d && git add . && git commit -qm first && git log --format=%s"
        )
    )
    assert (result["exit_code"], result["output"].strip()) == (0, "first")
    machine = deployed.machine
    owner = machine.sh(f"stat -c '%U %G %a' {STATE}/workspace/repository/a/b/c").strip()
    assert owner == "hermes hermes 660"
    script = (
        "import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])"
    )
    ask = ("python3", "-c", script, f"{STATE}/.hermes/state.db", "select count(*) from messages")
    assert int(machine.run(*ask).ok()) >= 3


def test_an_mcp_server_works_and_reaches_no_more_than_commands_do(deployed: Deployed) -> None:
    def use(name: str, **arguments: object) -> str:
        return deployed.use("tool_use", name=f"mcp_demo_{name}", arguments=arguments)

    assert '"result":5' in use("add", a=2, b=3)
    assert "root:" in use("look", path="/etc/passwd")
    for path in ("config.yaml", "state.db"):
        assert "Error executing tool" in use("look", path=f"{STATE}/.hermes/{path}")
    assert "Error executing tool" in use("look", path=f"/proc/{deployed.pid}/environ")
    assert "TOKEN" not in use("variables")


def test_the_agent_edits_what_a_member_of_its_group_wrote(deployed: Deployed) -> None:
    place = f"{STATE}/workspace/shared.txt"
    deployed.machine.sh(f"echo old > {place}; chown other:hermes {place}; chmod 660 {place}")
    said = deployed.use("write_file", path=place, content="new\n")
    assert "error" not in said.lower(), said
    assert deployed.machine.sh(f"cat {place}; stat -c '%G %a' {place}") == "new\nhermes 660\n"


def test_the_key_from_a_credential_reaches_the_model(deployed: Deployed) -> None:
    deployed.machine.sh("rm -f /mnt/seen")
    assert deployed.say("hello") == "hello"
    seen = (deployed.machine.mnt / "seen").read_text().split("\n")
    assert seen[0] == f"Bearer {SECRET}"


def test_secrets_show_nowhere(deployed: Deployed) -> None:
    machine = deployed.machine
    deployed.say("hello")
    machine.run("journalctl", "--sync").ok()
    shown = [
        machine.sh(f"cat /etc/systemd/system/{deployed.unit}"),
        machine.sh(f"systemctl show {deployed.unit}"),
        machine.sh("journalctl --no-pager"),
        machine.sh("cat /etc/hermes-agent/homes/*.json /etc/hermes-agent/specifications/*.json"),
        machine.sh("cat /var/lib/hermes-agent/*.json"),
        machine.run("bash", "-c", "cat /proc/[0-9]*/{environ,cmdline}", user="other").out,
        machine.run("bash", "-c", "cat /proc/[0-9]*/cmdline").out,
    ]
    assert "hermes\0gateway\0run" in shown[-1]
    for text in shown:
        assert KEY not in text
        assert SECRET not in text
    assert machine.run("cat", "/run/hermes-agent/hermes-agent/environment", user="other").status
    assert machine.run("cat", f"{STATE}/.hermes/config.yaml", user="other").status


def test_systemd_has_nothing_to_say_against_the_unit_and_rates_it_well(deployed: Deployed) -> None:
    unit = f"/etc/systemd/system/{deployed.unit}"
    ran = deployed.machine.run("systemd-analyze", "verify", unit)
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    ran = deployed.machine.run(
        "systemd-analyze", "security", f"--threshold={SCORE}", "--offline=yes", "--no-pager", unit
    )
    print(ran.out.splitlines()[-1])
    ran.ok()


def test_extra_packages_are_there_whatever_login_scripts_make_of_path(deployed: Deployed) -> None:
    machine = deployed.machine
    machine.write("/opt/extra/bin/fortune", "#!/bin/sh\necho luck\n")
    machine.sh("chmod 755 /opt/extra/bin/fortune; cp /etc/profile /etc/profile.kept")
    machine.sh("echo 'PATH=/usr/bin:/bin; export PATH' >> /etc/profile")
    try:
        deployed.apply(extraPackages=["/opt/extra"]).ok()
        result = json.loads(deployed.do("fortune; command -v hermes"))
        assert result["output"].split() == ["luck", "/opt/hermes/bin/hermes"]
    finally:
        machine.sh("mv /etc/profile.kept /etc/profile; rm -r /opt/extra")


def test_another_working_directory_can_be_written_and_nothing_beside_it(
    deployed: Deployed,
) -> None:
    machine = deployed.machine
    machine.sh("install -d -o hermes -g hermes -m 770 /srv/work; install -d -m 777 /srv/open")
    deployed.apply(workingDirectory="/srv/work").ok()
    result = json.loads(deployed.do("pwd; echo x > here; echo x > ../open/there"))
    assert result["output"].split("\n")[0] == "/srv/work"
    assert "Read-only file system" in result["output"]
    assert machine.sh("ls /srv/work /srv/open").split() == ["/srv/open:", "/srv/work:", "here"]
    machine.sh("rm -r /srv/open")


@pytest.mark.parametrize("place", ["/home/other/agent", "/tmp/agent"])
def test_a_state_directory_where_homes_are_is_seen_and_nothing_else_there(
    deployed: Deployed, place: str
) -> None:
    machine = deployed.machine
    machine.sh("chown root: /home/other; touch /home/other/private /tmp/private")
    machine.run("hermes", "deploy", "remove")
    deployed.apply(stateDir=place).ok()
    assert deployed.say("hello") == "hello"
    result = json.loads(deployed.do("pwd; echo x > here; ls -A /home/other /tmp"))
    assert result["output"].split("\n")[0] == f"{place}/workspace"
    assert "private" not in result["output"]
    machine.sh(f"test -e {place}/workspace/here")
    machine.sh(f"hermes deploy remove --purge --yes; ! test -e {place}")


def test_newer_systemd_leaves_a_proc_that_bubblewrap_can_copy(tmp_path: Path) -> None:
    """From version 253 on nothing of the old root stays below the service's own. Its mounts are
    made here as that does it: a /proc with parts covered lets nobody mount another one, unless
    there is one that is whole."""
    if os.geteuid() != 0 or shutil.which("bwrap") is None:
        pytest.skip("MOUNTS AS NEWER SYSTEMD MAKES THEM ARE NOT TRIED: needs root and bubblewrap")
    script = HERE / "newer_systemd.sh"
    outcomes = [
        subprocess.run(
            ["unshare", "--mount", "/bin/sh", str(script), str(tmp_path), whole],
            capture_output=True,
            text=True,
            check=False,
        )
        for whole in ("", "whole")
    ]
    assert outcomes[0].returncode != 0
    assert "Can't mount proc" in outcomes[0].stderr
    assert (outcomes[1].returncode, outcomes[1].stdout) == (0, "mounted\n"), outcomes[1].stderr
