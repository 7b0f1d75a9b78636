"""A deployment with a host command inside the machine, made by hand.

Its package is a probe; alice is of its group, bob is not.
"""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.systemd.machine import Machine, Ran

NAME = "assistant"
STATE = "/var/lib/assistant"
HOME = f"{STATE}/.hermes"
DOOR = f"/usr/local/libexec/hermes-agent/enter/{NAME}"
HERE = Path(__file__).parent
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


@contextmanager
def deployment(machine: Machine) -> Generator[None]:
    """One that is taken down again afterwards."""
    machine.sh(
        "groupadd -g 900 keepers;"
        f" useradd -u 900 -g keepers -d {STATE} keeper;"
        " useradd -m -s /bin/bash -G keepers alice; useradd -m -s /bin/bash bob;"
        f" install -d -o keeper -g keepers -m 0750 {STATE};"
        f" install -d -o keeper -g keepers -m 2770 {HOME} {STATE}/workspace;"
        " install -d /opt/probe/bin; echo 127.0.1.1 $(hostname) >> /etc/hosts"
    )
    machine.sh(AGENT)
    machine.write("/opt/probe/bin/hermes", (HERE / "host_probe.py").read_text())
    machine.sh("chmod 755 /opt/probe/bin/hermes")
    register(machine)
    install(machine)
    machine.write(f"/run/hermes-agent/{NAME}/environment", "OPENROUTER_API_KEY='sk-se#cret'\n")
    machine.sh(f"chmod 600 /run/hermes-agent/{NAME}/environment; chmod 711 /run/hermes-agent")
    try:
        yield
    finally:
        machine.sh(
            "userdel -rf alice; userdel -rf bob; userdel -f keeper; groupdel keepers || true;"
            f" rm -rf {STATE} /etc/hermes-agent /run/hermes-agent /opt/probe /opt/agent;"
            " ln -sfn /opt/hermes/bin/hermes /usr/local/bin/hermes;"
            " rm -rf /usr/local/libexec/hermes-agent /etc/sudoers.d/hermes-agent_*"
        )


def specification(**changed: object) -> dict[str, object]:
    """What is installed."""
    return {
        "name": NAME,
        "package": "/opt/probe",
        "user": "keeper",
        "group": "keepers",
        "stateDir": STATE,
        "addToSystemPackages": True,
        **changed,
    }


def install(machine: Machine, **changed: object) -> str:
    """As `hermes deploy apply` does; what was said."""
    machine.write("/root/spec.json", json.dumps(specification(**changed)))
    return machine.run("/opt/agent/bin/python3", "-c", INSTALL, "/root/spec.json").ok()


def probed(ran: Ran) -> dict[str, Any]:
    return json.loads(ran.ok())
