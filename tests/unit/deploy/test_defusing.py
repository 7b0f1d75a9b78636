"""What root of a container can leave in the state directory loses its force with the deployment."""

import os
import stat
from pathlib import Path

import pytest

from hermes_agent.deploy.container.defusing import defuse


def test_setuid_files_lose_their_bits_and_others_keep_theirs(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "deep").mkdir(parents=True)
    (state / "deep").chmod(0o2770)
    outside, inside, plain = tmp_path / "outside", state / "deep" / "inside", state / "plain"
    for file, mode in ((outside, 0o4755), (inside, 0o6755), (plain, 0o640)):
        file.touch()
        file.chmod(mode)
    (state / "link").symlink_to(outside)
    (state / "folder").symlink_to(tmp_path)
    os.mkfifo(state / "pipe")
    assert defuse(str(state)) == 1
    modes = [stat.S_IMODE(file.stat().st_mode) for file in (outside, inside, plain)]
    assert modes == [0o4755, 0o755, 0o640]
    assert stat.S_IMODE((state / "deep").stat().st_mode) == 0o2770
    assert defuse(str(state)) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="NO DEVICES OR CAPABILITIES: needs root")
def test_devices_and_capabilities_go(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        (tmp_path / "ping").touch(0o755)
        # cap_setuid=ep, as vfs_cap_data of revision 2 has it: capability.h
        data = bytes.fromhex("0100000280000000000000000000000000000000")
        os.setxattr(tmp_path / "ping", "security.capability", data)
    except OSError as error:
        pytest.skip(f"NO DEVICES OR CAPABILITIES HERE: {error}")
    assert defuse(str(tmp_path)) == 2
    assert not (tmp_path / "null").exists()
    assert "security.capability" not in os.listxattr(tmp_path / "ping")
