"""What an agent can do from inside, as itself and as root of its container."""

import json
import os
import shlex
import subprocess

import pytest

from tests.deploy.container import agent
from tests.deploy.container.deployment import Deployment

pytestmark = pytest.mark.timeout(400)

CAP = {"MKNOD": 27, "NET_RAW": 13, "AUDIT_WRITE": 29, "SETFCAP": 31, "SYS_ADMIN": 21}


def test_root_of_the_container_cannot_change_what_root_of_the_host_declared(
    deployed: Deployment,
) -> None:
    deployed.keys["settings"] = {**deployed.keys["settings"], "timezone": "Asia/Tokyo"}
    deployed.start()
    attempts = {
        "write": "echo x > /etc/hermes-agent/homes/hermes-agent.json",
        "delete": "rm -rf /etc/hermes-agent/homes",
        "move away": "mv /etc/hermes-agent /etc/gone",
        "mount over": "mount -t tmpfs none /etc/hermes-agent",
        "unmount": "umount /etc/hermes-agent",
        "remount": "mount -o remount,bind,rw /etc/hermes-agent",
        "entrypoint": "echo x > /run/hermes/entrypoint",
        "arguments": "echo x > /run/hermes/arguments",
        "environment": "rm /run/hermes/environment",
        "package": f"touch {deployed.package}/x",
    }
    for what, script in attempts.items():
        done = deployed.engine.run("exec", "hermes-agent", "sh", "-ec", script)
        assert done.returncode != 0, what
    # The way round: the folder above is its own, and storage that allows it can be moved away.
    # Whatever comes of that, it is over at the next start.
    forged = json.dumps({"home": "/data/.hermes", "settings": {"timezone": "Mars/Olympus"}})
    deployed.sh(
        "cp -a /etc /etc.new; rm -rf /etc.new/hermes-agent; mkdir -p /etc.new/hermes-agent/homes;"
        f" echo {shlex.quote(forged)} > /etc.new/hermes-agent/homes/hermes-agent.json;"
    )
    move = "import os; os.rename('/etc', '/etc.old'); os.rename('/etc.new', '/etc')"
    deployed.engine.run("exec", "hermes-agent", "python3", "-c", move)
    deployed.restart()
    words = ("exec", "-u", deployed.agent, "hermes-agent", "hermes", "config", "get", "timezone")
    assert deployed.engine.do(*words) == "Asia/Tokyo"


def test_capabilities_that_nobody_needs_are_gone_and_no_device_can_be_made(
    deployed: Deployment,
) -> None:
    deployed.start()
    for user in ("0:0", deployed.agent):
        bounds = deployed.exec("grep", "CapBnd", "/proc/self/status", user=user).split()[1]
        held = [name for name, bit in CAP.items() if int(bounds, 16) >> bit & 1]
        assert held == []
    done = deployed.engine.run("exec", "hermes-agent", "mknod", "/data/sda", "b", "8", "0")
    assert "Operation not permitted" in done.stderr


def test_a_setuid_file_that_root_of_the_container_leaves_is_nobody_s_on_the_host(
    deployed: Deployment,
) -> None:
    deployed.start()
    deployed.sh("cp /usr/bin/id /data/workspace/id; chmod 4755 /data/workspace/id")
    planted = deployed.state / "workspace" / "id"
    assert planted.stat().st_uid == 0
    assert planted.stat().st_mode & 0o4000
    uid, gid = deployed.account.pw_uid, deployed.account.pw_gid
    ran = subprocess.run(
        ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", str(planted), "-u"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == str(uid)
    flags = os.statvfs(deployed.state).f_flag
    assert flags & os.ST_NOSUID
    assert flags & os.ST_NODEV
    # At the next start it is the agent's, as all that is not.
    deployed.restart()
    assert planted.stat().st_uid == uid
    assert not planted.stat().st_mode & 0o4000


def test_with_sudo_the_agent_is_root_of_its_container_and_without_it_never(
    deployed: Deployment,
) -> None:
    deployed.start()
    assert deployed.exec("sudo", "-n", "id", "-u", user=deployed.agent) == "0"
    first = deployed.id
    deployed.container(sudo=False)
    deployed.restart()
    assert deployed.id != first
    assert agent.status(deployed, "NoNewPrivs") == "1"
    assert int(agent.status(deployed, "CapBnd"), 16) == 0
    refused = deployed.engine.run(
        "exec", "-u", deployed.agent, "hermes-agent", "sudo", "-n", "id", "-u"
    )
    assert refused.returncode != 0
    assert "no new privileges" in refused.stderr


def test_options_reach_the_engine_literally(deployed: Deployment) -> None:
    deployed.container(
        extraOptions=["--device", "/dev/null:/dev/gpu0", "--shm-size", "32m", "--env", "A=b c"],
    )
    deployed.start()
    deployed.sh("test -c /dev/gpu0; echo x > /dev/gpu0", user=deployed.agent)
    assert "32768" in deployed.sh("df -k /dev/shm")
    assert deployed.sh("echo $A") == "b c"
    deployed.container(extraOptions=["--gpus", "all"])
    recording = deployed.folder / "recording"
    words = deployed.folder / "words"
    recording.write_text(
        f'#!/bin/sh\n[ "$1" != create ] || printf "%s\\n" "$@" > {words}\n'
        f'exec {deployed.engine.program} "$@"\n'
    )
    recording.chmod(0o755)
    deployed.container(program=str(recording))
    deployed.stop()
    ended = deployed.fails()
    told = words.read_text().splitlines()
    assert told[told.index("--gpus") :][:3] == ["--gpus", "all", "ubuntu:24.04"]
    # Without a GPU the engine has its own word for that, which is passed on.
    assert ended.status == 1
    if deployed.engine.backend == "docker":
        assert "could not select device driver" in ended.said
        assert "cannot be started: could not select device driver" in " ".join(ended.said.split())
