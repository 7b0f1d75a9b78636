"""What every environment promises of files."""

import os
import resource
import stat
from pathlib import Path

import pytest

from hermes_agent.environments import Workroom


async def test_what_is_written_is_read(environment: Workroom, work: Path) -> None:
    await environment.files.write("deep/below/a", b"hello")
    assert await environment.files.read("deep/below/a", limit=100) == b"hello"
    assert await environment.files.read(f"{work}/deep/below/a", limit=2) == b"he"
    assert (await environment.run("cat deep/below/a", timeout=10)).output == "hello"
    assert await environment.files.list("deep/below") == ["a"]
    await environment.files.remove("deep/below/a")
    assert await environment.files.stat("deep/below/a") is None


async def test_a_replaced_file_keeps_its_mode(environment: Workroom, work: Path) -> None:
    (work / "a").write_text("old")
    (work / "a").chmod(0o6750)
    await environment.files.write("a", b"new")
    assert stat.S_IMODE((work / "a").stat().st_mode) == 0o6750


@pytest.mark.skipif(os.getuid() != 0, reason="NOT TESTED: only root can give files away")
async def test_a_replaced_file_keeps_its_owner(environment: Workroom, work: Path) -> None:
    (work / "a").write_text("old")
    os.chown(work / "a", 1234, 2345)
    await environment.files.write("a", b"new")
    there = (work / "a").stat()
    assert (there.st_uid, there.st_gid) == (1234, 2345)


async def test_a_link_is_written_through(environment: Workroom, work: Path) -> None:
    (work / "real").write_text("old")
    (work / "link").symlink_to("real")
    await environment.files.write("link", b"new")
    assert (work / "link").is_symlink()
    assert (work / "real").read_text() == "new"
    info = await environment.files.stat("link")
    assert info is not None
    assert info.path == str(work / "real")


async def test_links_in_a_circle_are_an_error(environment: Workroom, work: Path) -> None:
    (work / "a").symlink_to("b")
    (work / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        await environment.files.read("a", limit=1)


async def test_a_pipe_is_refused_at_once(environment: Workroom, work: Path) -> None:
    os.mkfifo(work / "pipe")
    with pytest.raises(OSError, match="regular"):
        await environment.files.read("pipe", limit=1)
    with pytest.raises(OSError, match="regular"):
        await environment.files.write("pipe", b"")


async def test_a_directory_is_no_file(environment: Workroom, work: Path) -> None:
    (work / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        await environment.files.read("folder", limit=1)
    with pytest.raises(IsADirectoryError):
        await environment.files.write("folder", b"")
    info = await environment.files.stat("folder")
    assert info is not None
    assert info.kind == "directory"


async def test_a_full_disk_leaves_the_old_file(environment: Workroom, work: Path) -> None:
    if environment.guard is not None:
        pytest.skip("our own limits reach no other machine; containers have a test of their own")
    (work / "a").write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError, match="large"):
            await environment.files.write("a", b"x" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (work / "a").read_text() == "old"
    assert os.listdir(work) == ["a"]
