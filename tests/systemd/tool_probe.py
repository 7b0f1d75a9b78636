"""Run by the agent's tool `terminal`: tries to get at what decides about the agent.

Argument: the daemon's process. Prints the findings as one line of JSON.
"""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HOME = Path(os.environ["HERMES_HOME"])
STATE = HOME.parent
KEPT = ("state.db", "config.yaml", ".env", "auth.json", "gateway.pid", ".managed")
ROOTS = (
    "/run/hermes-agent/hermes-agent/environment",
    "/etc/hermes-agent/specifications/hermes-agent.json",
    "/var/lib/hermes-agent/hermes-agent.json",
    "/etc/secrets/agent.env",
    "/etc/secrets/key",
)
REGISTRY = "/etc/hermes-agent/homes/hermes-agent.json"


def attempt(what: Callable[[], object]) -> str:
    try:
        what()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


def status(*argv: str) -> int:
    return subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, check=False
    ).returncode


def credentials() -> str | list[str]:
    try:
        return [f"{folder}/{name}" for folder, _, names in os.walk("/run/credentials")
                for name in names]  # fmt: skip
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def remount() -> None:
    argv = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
            f"umount {HOME} && cat {HOME}/config.yaml")  # fmt: skip
    if status(*argv):
        raise OSError(errno.EPERM, "refused")


found: dict[str, object] = {}
for name in KEPT:
    found[f"read {HOME}/{name}"] = attempt(lambda name=name: (HOME / name).read_bytes())
    found[f"write {HOME}/{name}"] = attempt(lambda name=name: (HOME / name).write_text("x"))
for path in (*ROOTS, f"/proc/{sys.argv[1]}/environ"):
    found[f"read {path}"] = attempt(lambda path=path: Path(path).read_bytes())
for path in (REGISTRY, "/etc/hermes-agent/homes/x.json", "/run/systemd/system/x.service"):
    found[f"write {path}"] = attempt(lambda path=path: Path(path).write_text("x"))
found["move the home away"] = attempt(lambda: HOME.rename(STATE / "elsewhere"))
found["uncover the home"] = attempt(remount)
found[f"write {STATE}/workspace/x"] = attempt(lambda: (STATE / "workspace/x").write_text("x"))
found["write /tmp/x"] = attempt(lambda: Path("/tmp/x").write_text("x"))
found["environ of the daemon"] = found.pop(f"read /proc/{sys.argv[1]}/environ")
numbers = [name for name in os.listdir("/proc") if name.isdigit()]
found["processes"] = sorted({Path(f"/proc/{each}/comm").read_text().strip() for each in numbers})
found["sudo"] = status("sudo", "-n", "true")
found["systemctl"] = status("systemctl", "stop", "hermes-agent.service")
found["credentials"] = credentials()
print(json.dumps(found))
