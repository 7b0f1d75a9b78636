"""What can be missing or wrong: each is a sentence that says what to do, and nothing is lost."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.container.deployment import Deployment
from tests.deploy.container.engines import TINY_IMAGE, RealEngine

pytestmark = pytest.mark.timeout(400)


def test_an_image_that_cannot_be_had_costs_nothing(deployed: Deployment) -> None:
    deployed.start()
    first = deployed.id
    deployed.sh("touch /usr/local/by-apt")
    deployed.stop()
    deployed.container(image="127.0.0.1:9/nobody/nothing:1")
    ended = deployed.fails()
    assert ended.status == 1
    assert "The image 127.0.0.1:9/nobody/nothing:1 cannot be had" in ended.said
    assert "pull 127.0.0.1:9/nobody/nothing:1" in ended.said
    assert any("Pulling the image" in line for line in deployed.said)
    deployed.container(image="ubuntu:24.04")
    deployed.start()
    assert deployed.id == first
    deployed.sh("test -e /usr/local/by-apt")


def test_an_option_that_the_engine_does_not_know_costs_nothing(deployed: Deployment) -> None:
    deployed.start()
    first = deployed.id
    deployed.stop()
    deployed.container(extraOptions=["--no-such-option"])
    ended = deployed.fails()
    assert ended.status == 1
    assert "cannot create the container" in ended.said
    assert "unknown flag: --no-such-option" in ended.said
    assert "container.extraOptions" in ended.said
    deployed.container(extraOptions=[])
    deployed.start()
    assert deployed.id == first


def test_an_engine_that_is_down_is_said_with_what_starts_it(deployed: Deployment) -> None:
    if deployed.engine.backend == "podman":
        pytest.skip("Podman has no daemon that could be down")
    deployed.engine.down()
    ended = deployed.fails()
    deployed.engine.up()
    assert ended.status == 1
    assert "Docker does not answer" in ended.said
    assert "systemctl start docker" in ended.said


def test_an_engine_that_goes_down_ends_the_service_and_the_next_start_finds_the_container(
    deployed: Deployment,
) -> None:
    deployed.start()
    first = deployed.id
    deployed.engine.down()
    assert deployed.ended().status != 0 or deployed.engine.backend == "podman"
    deployed.engine.up()
    deployed.start()
    assert deployed.id == first


def test_an_engine_that_is_not_installed_is_said(deployed: Deployment) -> None:
    deployed.container(program="/nonexistent/engine")
    ended = deployed.fails()
    assert ended.status == 1
    assert "The container engine /nonexistent/engine is not installed" in ended.said


def test_an_engine_that_is_too_old_is_not_tried_again(deployed: Deployment) -> None:
    old = deployed.folder / "old"
    old.write_text("#!/bin/sh\necho 1.12.6\n")
    old.chmod(0o755)
    deployed.container(program=str(old))
    ended = deployed.fails()
    assert ended.status == 78
    assert f"{deployed.engine.backend} is of version 1.12.6" in ended.said
    assert "or newer is needed" in ended.said


def test_a_package_that_the_container_cannot_see_is_said(deployed: Deployment) -> None:
    package = deployed.keys["package"]
    deployed.keys["packageRoots"] = deployed.keys["packageRoots"][1:]
    ended = deployed.fails()
    assert ended.status == 78
    assert f"{package} is not to be seen in the container; packageRoots must hold it" in ended.said


def test_a_volume_that_does_not_exist_is_said_or_made_as_the_engine_does(
    deployed: Deployment,
) -> None:
    missing = deployed.folder / "missing"
    deployed.container(extraVolumes=[f"{missing}:/missing"])
    if deployed.engine.backend == "docker":
        deployed.start()  # Docker makes it, as root's
        assert missing.is_dir()
        return
    ended = deployed.fails()
    assert ended.status == 1
    assert str(missing) in ended.said


def test_a_full_disk_under_the_state_is_said_and_the_container_stays(
    deployed: Deployment,
) -> None:
    deployed.state.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=750", "none", str(deployed.state)], check=True
    )
    try:
        deployed.start()
        first = deployed.id
        deployed.sh("rm /data/.container-identity")
        deployed.stop()
        deployed.keys["settings"] = {**deployed.keys["settings"], "timezone": "Asia/Tokyo"}
        _fill(deployed.state / "filler")
        ended = deployed.prepare()
        assert ended.status == 1
        assert "No space left on device" in ended.said
        assert "Make room" in ended.said
        (deployed.state / "filler").unlink()
        deployed.start()
        assert deployed.id != first  # the file was removed before
        second = deployed.id
        deployed.sh("echo edited > /data/.container-identity")
        deployed.stop()
        _fill(deployed.state / "filler")
        ended = deployed.prepare()
        assert ended.status == 0, ended.said
        (deployed.state / "filler").unlink()
        deployed.start()
        assert deployed.id == second
    finally:
        deployed.engine.run("rm", "-f", deployed.name)
        while os.path.ismount(deployed.state):
            subprocess.run(["umount", "--lazy", str(deployed.state)], check=True)


def test_a_full_disk_under_the_engine_is_said(deployed: Deployment, small: RealEngine) -> None:
    """Its storage has room for the image and for little more."""
    deployed.container(program=str(small.program), image=TINY_IMAGE)
    _fill(small.home / "root" / "filler")
    ended = deployed.fails()
    assert ended.status == 1
    assert "no space left on device" in ended.said
    assert "Make room on the disk of the engine's storage" in ended.said
    (small.home / "root" / "filler").unlink()


@pytest.fixture
def small(engine: RealEngine) -> Iterator[RealEngine]:
    if engine.backend == "docker":
        pytest.skip("with Docker the same code would have to wait for a second engine")
    made = RealEngine.__new__(RealEngine)
    made.backend = "podman"
    made.home = Path(tempfile.mkdtemp(prefix="hermes-small-", dir="/tmp"))
    shutil.copytree(engine.home, made.home, dirs_exist_ok=True, ignore=_storage)
    (made.home / "root").mkdir()
    text = engine.program.read_text().replace(str(engine.home), str(made.home))
    made.program = made.home / "podman"
    made.program.write_text(text)
    size = "size=12m"
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "none", str(made.home / "root")], check=True
    )
    made.adopt()
    made.do("import", str(made.home / "tiny.tar"), f"docker.io/library/{TINY_IMAGE}")
    yield made
    made.close()


def _storage(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in ("root", "run", "tmp", "data", "exec", "tiny")]


def _fill(path: Path) -> None:
    with path.open("wb") as file:
        try:
            while True:
                file.write(b"\0" * 65536)
                file.flush()
        except OSError:
            pass
        size = file.tell()
    assert size > 65536
