"""Plain `hermes` of a registered home, with the real sudo."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.systemd.machine import Machine, Ran

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian

NAME = "assistant"
STATE = "/var/lib/assistant"
HOME = f"{STATE}/.hermes"
DOOR = f"/usr/local/libexec/hermes-agent/enter/{NAME}"
INSTALL = """
import sys
from pathlib import Path
from hermes_agent.deploy.host.installing import install, uninstall
from hermes_agent.deploy.reading import read
spec = read(Path(sys.argv[1]))
for line in install(spec): print(line)
"""


# An installation such as root makes, whoever owns the checkout.
AGENT = """
umask 022
lib=/opt/agent/lib/python3.VERSION/site-packages
mkdir -p $lib /opt/agent/bin
cp -r /opt/src/hermes_agent $lib/
echo /opt/packages > $lib/packages.pth
cp -P /opt/hermes/bin/python /opt/agent/bin/python3
cp /opt/hermes/pyvenv.cfg /opt/agent/
sed '1s,.*,#!/opt/agent/bin/python3,' /opt/hermes/bin/hermes > /opt/agent/bin/hermes
chmod 755 /opt/agent/bin/hermes
chmod -R go-w /opt/agent
ln -sfn /opt/agent/bin/hermes /usr/local/bin/hermes
""".replace("3.VERSION", f"3.{sys.version_info.minor}")


def entry(**changed: object) -> dict[str, object]:
    """As root's pre-start writes it."""
    return {
        "name": NAME,
        "home": HOME,
        "uid": 900,
        "gid": 900,
        "user": "keeper",
        "group": "keepers",
        "mode": "native",
        "command": True,
        "package": "/opt/probe",
        "manager": "nixos",
        "settings": {"model": {"default": "none"}},
        **changed,
    }


def register(machine: Machine, name: str = NAME, **changed: object) -> None:
    machine.write(f"/etc/hermes-agent/homes/{name}.json", json.dumps(entry(name=name, **changed)))


@pytest.fixture(scope="module")
def deployed(machine: Machine) -> Iterator[Machine]:
    """A deployment whose `hermes` is a probe; alice is of its group, bob is not."""
    machine.sh(
        "groupadd -g 900 keepers;"
        f" useradd -u 900 -g keepers -d {STATE} keeper;"
        " useradd -m -s /bin/bash -G keepers alice; useradd -m -s /bin/bash bob;"
        f" install -d -o keeper -g keepers -m 0750 {STATE};"
        f" install -d -o keeper -g keepers -m 2770 {HOME} {STATE}/workspace;"
        " install -d /opt/probe/bin; echo 127.0.1.1 $(hostname) >> /etc/hosts"
    )
    machine.sh(AGENT)
    machine.write("/opt/probe/bin/hermes", Path(__file__).with_name("host_probe.py").read_text())
    machine.sh("chmod 755 /opt/probe/bin/hermes")
    register(machine)
    install(machine)
    machine.write(f"/run/hermes-agent/{NAME}/environment", "OPENROUTER_API_KEY='sk se#cret'\n")
    machine.sh(f"chmod 600 /run/hermes-agent/{NAME}/environment; chmod 711 /run/hermes-agent")
    yield machine
    machine.sh(
        "userdel -rf alice; userdel -rf bob; userdel -f keeper; groupdel keepers || true;"
        f" rm -rf {STATE} /etc/hermes-agent /run/hermes-agent /opt/probe /opt/agent;"
        " ln -sfn /opt/hermes/bin/hermes /usr/local/bin/hermes;"
        " rm -rf /usr/local/libexec/hermes-agent /etc/sudoers.d/hermes-agent_*"
    )


def install(machine: Machine, **changed: object) -> str:
    spec = {
        "name": NAME,
        "package": "/opt/probe",
        "user": "keeper",
        "group": "keepers",
        "stateDir": STATE,
        "addToSystemPackages": True,
        **changed,
    }
    machine.write("/root/spec.json", json.dumps(spec))
    return machine.run("/opt/agent/bin/python3", "-c", INSTALL, "/root/spec.json").ok()


def probed(ran: Ran) -> dict[str, Any]:
    return json.loads(ran.ok())


def test_a_member_of_the_group_runs_it_as_the_services_user(deployed: Machine) -> None:
    found = probed(deployed.run("hermes", "sessions", "list", user="alice"))
    assert found["uids"] == found["gids"] == [900, 900, 900]
    assert found["groups"] == [900]
    assert found["cwd"] == f"{STATE}/workspace"
    assert found["umask"] == 0o007
    assert found["capabilities"] == ["0000000000000000"] * 4
    assert found["privileges"] == "1"
    assert found["open"] == []


def test_someone_else_is_told_which_group_they_lack_and_nothing_runs(deployed: Machine) -> None:
    ran = deployed.run("hermes", "sessions", "list", user="bob")
    assert (ran.status, ran.out) == (1, "")
    assert "is for members of the group keepers; bob is not one" in ran.err
    assert 'users.users.bob.extraGroups = [ "keepers" ];' in ran.err


def test_root_becomes_the_services_user(deployed: Machine) -> None:
    found = probed(deployed.run("hermes", "status"))
    assert found["uids"] == found["gids"] == [900, 900, 900]
    assert found["groups"] == [900]
