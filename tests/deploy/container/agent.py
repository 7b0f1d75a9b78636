"""The agent's process and its ledger, seen from outside of the container."""

import json
import subprocess
import sys
from pathlib import Path

from tests.deploy.container.deployment import Deployment
from tests.deploy.container.engines import ROOT

SAID = ROOT / "tests" / "systemd" / "said.py"
MODEL = ROOT / "tests" / "systemd" / "gated_model.py"


def agent_pid(deployed: Deployment) -> int:
    """Its number on the host: the one child of the container's init."""
    init = deployed.engine.inspect(deployed.name, "{{.State.Pid}}")
    done = subprocess.run(
        ["ps", "--ppid", init, "-o", "pid="], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[0])


def command(deployed: Deployment) -> list[str]:
    """Its words."""
    return _parts(agent_pid(deployed), "cmdline")


def variables(deployed: Deployment) -> list[str]:
    """Its variables."""
    return _parts(agent_pid(deployed), "environ")


def status(deployed: Deployment, name: str) -> str:
    """A line of its /proc/…/status."""
    lines = Path(f"/proc/{agent_pid(deployed)}/status").read_text().splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{name}:"))


def ledger(deployed: Deployment, *option: str) -> str:
    """Put a message of alice into the ledger, or say what is in it."""
    script = SAID.read_text()
    python = "/data/current-package/bin/python"
    words = ("-c", script, "/data/.hermes", *option)
    return deployed.exec(python, *words, user=deployed.agent)


def inbox(deployed: Deployment) -> list[str]:
    return json.loads(ledger(deployed, "--inbox"))


def model(port: int, asked: Path, go: Path) -> "subprocess.Popen[bytes]":
    """A model on the host's loopback that ends its answer when it may."""
    return subprocess.Popen([sys.executable, str(MODEL), str(port), str(asked), str(go)])


def _parts(pid: int, name: str) -> list[str]:
    data = Path(f"/proc/{pid}/{name}").read_bytes()
    return data.rstrip(b"\0").decode("utf-8", "replace").split("\0")
