"""What every environment promises of processes in the background."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import msgspec
import pytest

from hermes_agent.domain.errors import EnvironmentFault, NotFoundError
from hermes_agent.environments import Workroom
from tests.contract.environments.conftest import Furnish, running, until


async def test_a_process_is_followed_to_its_end(environment: Workroom) -> None:
    started = await environment.spawn("echo one; read line; echo got $line; exit 4")
    processes = environment.processes
    assert started.id.startswith("proc_")
    assert len(started.id) == len("proc_") + 12
    await until(lambda: processes.log(started.id) == ("one", 1))
    info, fresh = processes.poll(started.id)
    assert (info.exit_code, fresh) == (None, "one\n")
    await processes.write(started.id, "two\n")
    assert (await processes.wait(started.id, 10)).exit_code == 4
    assert processes.poll(started.id)[1] == "got two\n"
    assert processes.poll(started.id)[1] == ""
    assert processes.log(started.id, offset=1, limit=5) == ("got two", 2)
    assert [info.id for info in processes.list()] == [started.id]


async def test_waiting_ends_with_its_time(environment: Workroom) -> None:
    started = await environment.spawn("sleep 600")
    assert (await environment.processes.wait(started.id, 0.05)).exit_code is None


async def test_killing_ends_all_that_was_started(environment: Workroom) -> None:
    mark = f"87{os.getpid()}1"
    started = await environment.spawn(f"setsid sleep {mark} & sleep {mark}")
    await until(lambda: len(running(f"sleep {mark}")) >= 2)
    ended = await environment.processes.kill(started.id)
    assert ended.exit_code is not None
    await until(lambda: not running(f"sleep {mark}"))


async def test_closing_ends_everything(environment: Workroom) -> None:
    mark = f"87{os.getpid()}2"
    await environment.spawn(f"sleep {mark}")
    await environment.spawn(f"sleep {mark}", pty=True)
    await until(lambda: len(running(f"sleep {mark}")) >= 2)
    await environment.close()
    await until(lambda: not running(f"sleep {mark}"))


async def test_only_the_end_of_long_output_is_kept(environment: Workroom) -> None:
    started = await environment.spawn("seq 1 1000000")
    await environment.processes.wait(started.id, 30)
    await until(lambda: environment.processes.log(started.id)[0].endswith("1000000"))
    text, lines = environment.processes.log(started.id, offset=0, limit=1_000_000)
    assert len(text) <= 200_000
    assert lines < 40_000


async def test_a_terminal_takes_input(environment: Workroom) -> None:
    started = await environment.spawn("read -p 'name? ' name; echo hello $name; tty", pty=True)
    await until(lambda: environment.processes.log(started.id)[0].startswith("name?"))
    await environment.processes.write(started.id, "you\n")
    assert (await environment.processes.wait(started.id, 10)).exit_code == 0
    text, _ = environment.processes.log(started.id)
    assert "hello you" in text
    assert "/dev/" in text


async def test_nobody_reads_the_input_of_the_dead(environment: Workroom) -> None:
    started = await environment.spawn("true")
    await environment.processes.wait(started.id, 10)
    with pytest.raises(EnvironmentFault, match="no input"):
        await environment.processes.write(started.id, "hello")


async def test_an_unknown_process_is_named(environment: Workroom) -> None:
    with pytest.raises(NotFoundError, match="proc_unknown"):
        environment.processes.poll("proc_unknown")


@pytest.mark.parametrize("name", ["local", "bubblewrap", "docker", "podman", "ssh"])
@pytest.mark.parametrize("how", ["run", "spawn"])
async def test_nothing_survives_when_we_are_killed(
    work: Path, furnish: Furnish, tmp_path: Path, name: str, how: str
) -> None:
    mark = f"88{os.getpid()}{'12'[how == 'run']}{len(name)}"
    (tmp_path / "place").write_bytes(msgspec.json.encode(furnish(name), enc_hook=str))
    program = textwrap.dedent(f"""
        import asyncio, msgspec, os
        from hermes_agent.environments import create
        from hermes_agent.environments.enclosure import Place

        async def main():
            os.environ["XDG_RUNTIME_DIR"] = {str(work)!r}  # for the scratch directory
            place = open({str(tmp_path / "place")!r}, "rb").read()
            hook = lambda kind, text: kind(text)
            there = create({name!r}, msgspec.json.decode(place, type=Place, dec_hook=hook))
            command = "setsid sleep {mark} & sleep {mark}"
            if {how!r} == "run":
                await there.run(command, timeout=600)
            else:
                await there.spawn(command)
                await asyncio.sleep(600)

        asyncio.run(main())
    """)
    victim = subprocess.Popen([sys.executable, "-c", program])  # noqa: ASYNC220 - is over in a moment
    try:
        await until(lambda: len(running(f"sleep {mark}")) >= 2, seconds=60)
    finally:
        victim.kill()
        victim.wait()
    await until(lambda: not running(f"sleep {mark}"))
    await until(lambda: os.listdir(work) == [])
