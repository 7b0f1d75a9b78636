"""A home on a disk that is full or read-only: said plainly, nothing stored is lost."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.acceptance.hermes import LIMIT, Hermes, Ran
from tests.servers.model import ModelServer
from tests.servers.script import Reply


def mountable() -> bool:
    """Whether mounts of our own can be made here."""
    if shutil.which("unshare") is None:
        return False
    tried = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


needs_mounts = pytest.mark.skipif(not mountable(), reason="no mounts may be made here")


def inside(hermes: Hermes, *lines: str) -> Ran:
    """Run lines of shell where mounts are ours; $H is hermes."""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", "\n".join(lines)],
        cwd=hermes.folder,
        env=hermes.environ | {"H": f"{sys.executable} -m hermes_agent"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )
    return Ran(done)


@needs_mounts
def test_a_full_disk_is_named_and_keeps_what_was_stored(
    hermes: Hermes, server: ModelServer
) -> None:
    server.always(Reply(text="fine " * 2000))
    ran = inside(
        hermes,
        "cp $HERMES_HOME/config.yaml config; mount -t tmpfs -o size=1m,mode=700 none $HERMES_HOME",
        "mv config $HERMES_HOME/config.yaml",
        "$H -q first >/dev/null || exit 3",
        "cat /dev/zero > $HERMES_HOME/fill 2>/dev/null",
        "$H -c -q second >/dev/null; echo status $? >&2",
        "$H config set timezone UTC >/dev/null; echo status $? >&2",
        "cat $HERMES_HOME/config.yaml >&2",
        "rm $HERMES_HOME/fill",
        "$H doctor --offline --fix >&2",
        "$H sessions list --json",
    )
    assert ran.status == 0, ran.err
    assert ran.err.count("status 1") == 2
    assert "default: scripted-model" in ran.err
    assert "Traceback" not in ran.err
    assert "MB are free on its disk" in ran.err
    assert "state.db: 1 sessions" in ran.err
    assert json.loads(ran.out)[0]["preview"] == "first"


@needs_mounts
def test_a_read_only_home_can_be_looked_at(hermes: Hermes, server: ModelServer) -> None:
    server.always(Reply(text="fine"))
    assert hermes.run("-q", "first").status == 0
    ran = inside(
        hermes,
        "mount --bind $HERMES_HOME $HERMES_HOME && mount -o remount,bind,ro $HERMES_HOME",
        "$H sessions list --json || exit 3",
        "$H status >/dev/null && $H config >/dev/null || exit 4",
        "$H -c -q second >&2; echo status $? >&2",
        "$H config set timezone UTC >&2; echo status $? >&2",
        "$H doctor --offline >&2; echo status $? >&2",
    )
    assert ran.status == 0, ran.err
    assert ran.err.count("status 1") == 3
    assert "Traceback" not in ran.err
    assert json.loads(ran.out)[0]["preview"] == "first"
