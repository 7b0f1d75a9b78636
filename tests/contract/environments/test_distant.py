"""What places outside this machine's own file system promise besides."""

import asyncio
import contextlib
import json
import os
import subprocess
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import msgspec
import pytest

from hermes_agent.domain.errors import ConfigError, DeniedError, EnvironmentFault
from hermes_agent.environments import Workroom, create
from hermes_agent.environments.distant.orphans import LABEL, identity, is_dead
from hermes_agent.environments.enclosure import Place
from tests.contract.environments.conftest import DISTANT, Furnish, running, until
from tests.contract.environments.engines import IMAGE, Engine, Sshd

ENGINES = ("docker", "podman")
Other = Callable[[str], Engine | Sshd]


@contextlib.asynccontextmanager
async def opened(name: str, place: Place) -> AsyncGenerator[Workroom]:
    made = create(name, place)
    try:
        yield made
    finally:
        await made.close()


def containers(engine: Engine) -> list[str]:
    return engine.do("ps", "--all", "--quiet", "--no-trunc").split()


def with_container(place: Place, **changed: object) -> Place:
    assert place.container is not None
    options = msgspec.structs.replace(place.container, **changed)
    return msgspec.structs.replace(place, container=options)


@pytest.fixture
def engine(request: pytest.FixtureRequest, other: Other) -> Engine:
    there = other(request.getfixturevalue("name"))
    assert isinstance(there, Engine)
    return there


@pytest.mark.parametrize("name", DISTANT)
async def test_nobody_elses_processes_are_touched(furnish: Furnish, name: str) -> None:
    mark = f"85{os.getpid()}1"
    bystander = subprocess.Popen(["sleep", mark], start_new_session=True)  # noqa: ASYNC220 - no wait
    try:
        async with opened(name, furnish(name)) as there:
            await there.run("sleep 60", timeout=0.3)
            # ended before it told who it is
            await there.run("sleep 60", timeout=0)
            started = await there.spawn("sleep 60")
            await there.processes.kill(started.id)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("name", ENGINES)
async def test_a_container_ends_with_its_session(
    furnish: Furnish, engine: Engine, name: str
) -> None:
    async with opened(name, furnish(name)) as there:
        assert containers(engine) == []
        await there.run("true", timeout=60)
        assert len(containers(engine)) == 1
    await until(lambda: containers(engine) == [])


@pytest.mark.parametrize("name", ENGINES)
async def test_what_a_dead_session_left_is_removed_by_the_next(
    furnish: Furnish, engine: Engine, name: str
) -> None:
    pid = identity().split("-")
    dead = "-".join((*pid[:3], "4194304", "1"))
    arguments = ("run", "--detach", "--entrypoint", "", "--label")
    left = engine.do(*arguments, f"{LABEL}={dead}", IMAGE, "sleep", "600")
    alive = engine.do(*arguments, f"{LABEL}={identity()}", IMAGE, "sleep", "600")
    try:
        async with opened(name, furnish(name)) as there:
            await there.run("true", timeout=60)
            await until(lambda: left not in containers(engine), seconds=30)
            assert alive in containers(engine)
    finally:
        for container in (left, alive):
            engine.do("kill", container, check=False)
            engine.do("rm", "--force", container, check=False)


def test_only_what_certainly_is_dead_is_removed() -> None:
    machine, boot, space, pid, began = identity().split("-")
    assert not is_dead(identity())
    assert is_dead(f"{machine}-{boot}-{space}-{pid}-{began}0")
    assert is_dead(f"{machine}-another-{space}-{pid}-{began}")
    assert not is_dead(f"another-{boot}-{space}-{pid}-0")
    assert not is_dead(f"{machine}-{boot}-another-{pid}-0")
    assert not is_dead("")


@pytest.mark.parametrize("name", ENGINES)
async def test_a_container_is_confined(furnish: Furnish, engine: Engine, name: str) -> None:
    place = with_container(furnish(name), cpus=0.5, memory=300)
    async with opened(name, place) as there:
        ended = await there.run("grep -E 'CapEff|NoNewPrivs' /proc/self/status", timeout=60)
        assert ended.output.split() == ["CapEff:", "000000000000000b", "NoNewPrivs:", "1"]
        facts = json.loads(engine.do("inspect", *containers(engine)))[0]["HostConfig"]
        assert facts["Memory"] == 300 * 1024 * 1024
        assert facts["NanoCpus"] == 500_000_000
        assert facts["PidsLimit"] == 256


@pytest.mark.parametrize("name", ENGINES)
async def test_a_forwarded_variable_is_only_where_it_belongs(
    furnish: Furnish, engine: Engine, name: str
) -> None:
    place = with_container(furnish(name), variables={"FORWARDED": "a-secret-value"})
    async with opened(name, place) as there:
        started = await there.spawn("echo $FORWARDED; sleep 60")
        await until(lambda: there.processes.log(started.id)[0] == "a-secret-value")
        assert "a-secret-value" not in engine.do("inspect", *containers(engine))
        assert running("a-secret-value") == []


@pytest.mark.parametrize("name", ENGINES)
async def test_a_container_that_vanishes_is_told_and_replaced(
    furnish: Furnish, engine: Engine, name: str
) -> None:
    async with opened(name, furnish(name)) as there:
        begun = asyncio.Event()
        task = asyncio.create_task(
            there.run(
                "export KEPT=1; cd /usr; echo begun; sleep 600",
                timeout=600,
                on_output=lambda _: begun.set(),
            )
        )
        await asyncio.wait_for(begun.wait(), 30)
        engine.do("kill", *containers(engine))
        with pytest.raises(EnvironmentFault, match=r"was lost while the command ran.*begun"):
            await asyncio.wait_for(task, 30)
        ended = await there.run("echo ${KEPT-none}; pwd", timeout=60)
        assert ended.output.startswith("[The container was lost.")
        assert ended.output.endswith(f"none\n{there.cwd}\n")
        assert (await there.run("echo quiet", timeout=60)).output == "quiet\n"


async def test_an_engine_that_dies_is_told_and_used_again(furnish: Furnish, other: Other) -> None:
    place, docker = furnish("docker"), other("docker")
    assert isinstance(docker, Engine)
    async with opened("docker", place) as there:
        begun = asyncio.Event()
        task = asyncio.create_task(
            there.run("echo begun; sleep 600", timeout=600, on_output=lambda _: begun.set())
        )
        await asyncio.wait_for(begun.wait(), 30)
        docker.kill()
        with pytest.raises(EnvironmentFault, match="was lost"):
            await asyncio.wait_for(task, 30)
        with pytest.raises(EnvironmentFault, match="cannot be reached"):
            await there.run("true", timeout=60)
        docker.up()
        assert (await there.run("echo back", timeout=60)).output.endswith("back\n")


async def test_a_machine_that_goes_away_is_told_and_reached_again(
    furnish: Furnish, other: Other
) -> None:
    place, sshd = furnish("ssh"), other("ssh")
    assert isinstance(sshd, Sshd)
    async with opened("ssh", place) as there:
        begun = asyncio.Event()
        task = asyncio.create_task(
            there.run("echo begun; sleep 600", timeout=600, on_output=lambda _: begun.set())
        )
        await asyncio.wait_for(begun.wait(), 30)
        sshd.down()
        with pytest.raises(EnvironmentFault, match="The machine there was lost"):
            await asyncio.wait_for(task, 30)
        with pytest.raises(EnvironmentFault, match="refused"):
            await there.run("true", timeout=60)
        sshd.up()
        assert (await there.run("echo back", timeout=60)).output.endswith("back\n")


async def test_more_commands_than_one_connection_allows(furnish: Furnish) -> None:
    async with opened("ssh", furnish("ssh")) as there:
        started = [await there.spawn("sleep 600") for _ in range(12)]
        assert len({each.pid for each in started}) == 12
        assert (await there.run("echo still", timeout=20)).output == "still\n"


async def test_files_of_another_machine_are_guarded_there(furnish: Furnish, work: Path) -> None:
    async with opened("ssh", furnish("ssh")) as there:
        assert there.guard is not None
        await there.run("true", timeout=60)
        home = Path(there.guard.home)
        (work / "link").symlink_to(home / ".ssh")
        with pytest.raises(DeniedError):
            await there.files.write("link/authorized_keys", b"evil")
        with pytest.raises((DeniedError, FileNotFoundError)):
            await there.files.write(f"{work}/link/../.ssh/rc", b"evil")
        with pytest.raises(DeniedError):
            there.guard.check_write("~/.bashrc")
        assert not (home / ".ssh/rc").exists()


@pytest.mark.parametrize("name", ENGINES)
async def test_what_is_mounted_is_guarded_as_at_home(
    furnish: Furnish, furnished: Path, name: str
) -> None:
    place = with_container(furnish(name), volumes=(f"{furnished}:/mounted",))
    async with opened(name, msgspec.structs.replace(place, cwd="/")) as there:
        await there.run("ln -s /mounted/.env /tmp/link", timeout=60)
        for path in ("/mounted/.env", "/tmp/link"):
            with pytest.raises(DeniedError):
                await there.files.read(path, limit=10)
        with pytest.raises(DeniedError):
            await there.files.write("/mounted/config.yaml", b"evil")
        assert await there.files.read("/mounted/skills/greet.md", limit=3) == b"say"


@pytest.mark.parametrize("name", ENGINES)
async def test_a_full_disk_in_a_container_harms_nothing(furnish: Furnish, name: str) -> None:
    async with opened(name, furnish(name)) as there:
        await there.files.write("/dev/shm/a", b"old")
        fill = "dd if=/dev/zero of=/dev/shm/fill bs=1M; dd if=/dev/zero of=/run/hermes/f bs=1M"
        await there.run(fill, timeout=60)
        with pytest.raises(OSError, match="space"):
            await there.files.write("/dev/shm/a", b"x" * 100_000)
        assert await there.files.read("/dev/shm/a", limit=9) == b"old"
        assert await there.files.list("/dev/shm") == ["a", "fill"]
        assert (await there.run("echo fine", timeout=60)).output == "fine\n"


@pytest.mark.parametrize("name", ENGINES)
async def test_what_is_kept_is_there_again(furnish: Furnish, tmp_path: Path, name: str) -> None:
    place = with_container(furnish(name), sandbox=str(tmp_path / "sandbox"))
    place = msgspec.structs.replace(place, cwd="/workspace")
    async with opened(name, place) as there:
        await there.run("echo mine >note; echo yours >~/note", timeout=60)
    async with opened(name, place) as there:
        ended = await there.run("pwd; cat note ~/note", timeout=60)
    assert ended.output == "/workspace\nmine\nyours\n"


@pytest.mark.parametrize("name", DISTANT)
async def test_odd_names_come_through(furnish: Furnish, name: str) -> None:
    odd = "a 'b' \"c\" $(d)\n-e*"
    async with opened(name, furnish(name)) as there:
        await there.files.write(f"-x/{odd}", b"1")
        assert await there.files.list("-x") == [odd]
        assert await there.files.read(f"-x/{odd}", limit=9) == b"1"
        info = await there.files.stat(f"-x/{odd}")
        assert info is not None
        assert info.path.endswith(odd)
        await there.files.remove(f"-x/{odd}")
        assert await there.files.list("-x") == []


@pytest.mark.parametrize("name", ["singularity", "modal", "daytona"])
def test_a_backend_without_its_plugin_says_so(place: Place, name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        create(name, place)
