"""A home that a declaration owns, by each of the signals that say so.

The root-owned registry lies at a fixed place that no variable can move. So each hermes here runs in
a mount namespace of its own, in which /etc is this machine's with a registry on top.
"""

import json
import shlex
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.hermes import Hermes

SIGNALS = ("variable", "marker", "registry")

_ENTER = """
mount -t tmpfs -o mode=755 tmpfs {stage}
mkdir -p {stage}/etc/hermes-agent/homes {stage}/work
cp {entry} {stage}/etc/hermes-agent/homes/hermes-agent.json
chmod 644 {stage}/etc/hermes-agent/homes/hermes-agent.json
mount -t overlay overlay -o lowerdir=/etc,upperdir={stage}/etc,workdir={stage}/work /etc
exec "$@"
"""


def declare(hermes: Hermes, settings: dict[str, Any], **fields: Any) -> None:
    """From now on a registry entry with these settings speaks for the home."""
    if not can_lay_registries():
        pytest.skip("NO TEST OF A DECLARED HOME: this user cannot mount an overlay over /etc")
    about = hermes.home.stat()
    entry = hermes.folder.parent / "entry.json"
    stage = hermes.folder.parent / "stage"
    stage.mkdir(exist_ok=True)
    declared = {
        "home": str(hermes.home),
        "device": about.st_dev,
        "inode": about.st_ino,
        "manager": "nixos",
        "mode": "native",
        "settings": settings,
    }
    entry.write_text(json.dumps(declared | fields))
    script = _ENTER.format(stage=shlex.quote(str(stage)), entry=shlex.quote(str(entry)))
    hermes.prefix = [
        "unshare", "-m", "--propagation", "private", "sh", "-ec", script.strip(), "sh",
    ]  # fmt: skip


def manage(hermes: Hermes, signal: str, settings: dict[str, Any] | None = None) -> None:
    """Make the home a managed one by this signal; only the registry carries settings."""
    if signal == "variable":
        hermes.environ["HERMES_MANAGED"] = "true"
    elif signal == "marker":
        (hermes.home / ".managed").write_text("NixOS\n")
    else:
        declare(hermes, settings or {})


@cache
def can_lay_registries() -> bool:
    """Whether this user may have a mount namespace with an overlay in it."""
    script = (
        "mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w &&"
        " mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc"
    )
    probe = ["unshare", "-m", "--propagation", "private", "sh", "-c", script]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below it: mode and bytes."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
