"""The guide's Troubleshooting section: each command prints what it says."""

import os
import pty
import subprocess

import pytest

from tests.deploy.container.deployment import Deployment

pytestmark = pytest.mark.timeout(400)


def test_each_command_of_the_troubleshooting_section_prints_what_it_says(
    deployed: Deployment,
) -> None:
    deployed.start()
    engine = deployed.engine
    # docker ps -a --filter name=hermes-agent
    shown = engine.do("ps", "-a", "--filter", "name=hermes-agent")
    assert "hermes-agent" in shown
    assert "Up" in shown
    # docker inspect hermes-agent --format='{{.State.Status}}'
    assert engine.do("inspect", "hermes-agent", "--format={{.State.Status}}") == "running"
    # docker exec -it hermes-agent bash
    assert in_a_terminal(deployed, "exec", "-it", "hermes-agent", "bash") == "root in /root"
    # docker exec hermes-agent readlink /data/current-package
    link = engine.do("exec", "hermes-agent", "readlink", "/data/current-package")
    assert link == str(deployed.package)
    # docker exec hermes-agent cat /data/.container-identity
    identity = engine.do("exec", "hermes-agent", "cat", "/data/.container-identity")
    label = '{{index .Config.Labels "hermes-agent.identity"}}'
    assert identity == engine.inspect("hermes-agent", label)
    assert set(identity) <= set("0123456789abcdef")
    assert len(identity) == 64
    # docker logs -f hermes-agent
    with subprocess.Popen(
        [str(engine.program), "logs", "-f", "hermes-agent"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as following:
        assert following.stdout is not None
        assert any("the gateway is up" in line for line in following.stdout)
        following.kill()


def test_the_state_directory_is_for_its_user_alone_and_the_guide_s_way_in_works(
    deployed: Deployment,
) -> None:
    deployed.start()
    about = deployed.state.stat()
    assert (oct(about.st_mode & 0o7777), about.st_uid) == ("0o750", deployed.account.pw_uid)
    assert "config.yaml" in deployed.exec("ls", "/data/.hermes")


def test_hermes_inside_the_container_is_the_managed_one(deployed: Deployment) -> None:
    deployed.keys["settings"] = {**deployed.keys["settings"], "timezone": "Asia/Tokyo"}
    deployed.start()
    words = ("exec", "-u", deployed.agent, "hermes-agent", "hermes", "config")
    refused = deployed.engine.run(*words, "set", "timezone", "Europe/Paris")
    assert refused.returncode == 1
    assert "managed by NixOS" in refused.stderr
    assert deployed.engine.do(*words, "get", "timezone") == "Asia/Tokyo"


def test_a_managed_container_is_what_the_table_of_mounts_says(deployed: Deployment) -> None:
    deployed.start()
    mounts = {
        line.split()[1]: line.split()[3].split(",")
        for line in deployed.exec("cat", "/proc/mounts").splitlines()
    }
    assert "rw" in mounts["/data"]
    for place in (*deployed.keys["packageRoots"], "/run/hermes", "/etc/hermes-agent"):
        assert "ro" in mounts[place]
    deployed.sh("echo x > /home/hermes/x; echo x > /tmp/x", user=deployed.agent)
    deployed.sh("echo x > /usr/local/x; echo x > /usr/x")


def in_a_terminal(deployed: Deployment, *words: str) -> str:
    """What a shell that is opened so answers."""
    outer, inner = pty.openpty()
    with subprocess.Popen(
        [str(deployed.engine.program), *words], stdin=inner, stdout=inner, stderr=inner
    ) as shell:
        os.close(inner)
        os.write(outer, b"printf 'said: %s in %s.\\n' $(id -un) $HOME; exit\n")
        said = b""
        while True:
            try:
                part = os.read(outer, 4096)
            except OSError:
                break
            if not part:
                break
            said += part
        shell.wait(30)
    os.close(outer)
    return said.decode().split("said: ")[-1].split(".")[0]
