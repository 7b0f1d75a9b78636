"""What every environment promises of a command in the foreground."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from hermes_agent.domain.errors import EnvironmentFault
from hermes_agent.environments import Workroom, create
from hermes_agent.environments.enclosure import Place
from hermes_agent.environments.local import LocalEnvironment
from tests.contract.environments.conftest import running, until


def own(output: str) -> str:
    """What the command itself printed: a shell that outlives its child says `Killed`."""
    return output.removesuffix("Killed\n")


async def test_output_and_exit_code_come_back(environment: Workroom) -> None:
    ended = await environment.run("echo out; echo err >&2; exit 3", timeout=10)
    assert (ended.output, ended.exit_code) == ("out\nerr\n", 3)


async def test_output_is_told_as_it_comes(environment: Workroom, work: Path) -> None:
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        (work / "go").touch()  # the command waits for this

    ended = await environment.run(
        "echo first; until [ -e go ]; do sleep 0.01; done; echo second", timeout=10, on_output=tell
    )
    assert ended.exit_code == 0
    assert "".join(told) == "first\nsecond\n"


async def test_standard_input_is_at_its_end(environment: Workroom) -> None:
    assert (await environment.run("cat; echo done", timeout=10)).output == "done\n"


async def test_a_hundred_megabytes_leave_head_and_tail(environment: Workroom) -> None:
    ended = await environment.run(
        "echo begin; head -c 100000000 /dev/zero | tr '\\0' x; echo; echo end", timeout=60
    )
    assert len(ended.output) < 50_200
    assert ended.output.startswith("begin\nx")
    assert ended.output.endswith("x\nend\n")
    assert ended.omitted > 99_900_000
    assert f"{ended.omitted:,} bytes" in ended.output


async def test_endless_output_ends_with_its_time(environment: Workroom) -> None:
    told = 0

    def tell(text: str) -> None:
        nonlocal told
        told += len(text)

    ended = await environment.run("yes", timeout=0.5, on_output=tell)
    assert ended.timed_out
    assert len(ended.output) < 50_200
    assert told < 1_000_000, "a watcher is not flooded"


@pytest.mark.parametrize(
    ("command", "output"),
    [
        (r"printf 'a\377\376b'", "a\ufffd\ufffdb"),
        (r"printf 'a\000b\001'", "a\ufffdb\ufffd"),
        (r"printf '\033[1;31mred\033[0m \033]0;title\007plain'", "red plain"),
        (r"printf '10%%\r50%%\r100%%\n'", "100%\n"),
        (r"printf 'gr\303\274n'", "grün"),
    ],
    ids=["not UTF-8", "control characters", "escapes", "redrawn lines", "UTF-8"],
)
async def test_whatever_is_printed_becomes_text(
    environment: Workroom, command: str, output: str
) -> None:
    assert (await environment.run(command, timeout=10)).output == output


async def test_a_program_as_output_becomes_text(environment: Workroom) -> None:
    ended = await environment.run("cat /bin/bash", timeout=30)
    assert ended.exit_code == 0
    ended.output.encode()


async def test_time_out_kills_everything_and_keeps_the_output(
    environment: Workroom,
) -> None:
    mark = f"86{os.getpid()}1"
    ended = await environment.run(
        f"echo before; sleep {mark} & setsid sleep {mark} & sleep {mark}", timeout=0.5
    )
    assert (ended.exit_code, ended.timed_out, own(ended.output)) == (124, True, "before\n")
    await until(lambda: not running(f"sleep {mark}"))


async def test_an_interrupt_kills_everything_and_hands_on_the_output(
    environment: Workroom,
) -> None:
    mark = f"86{os.getpid()}2"
    begun = asyncio.Event()
    task = asyncio.create_task(
        environment.run(
            f"echo before; (setsid sh -c 'setsid sleep {mark} & sleep {mark}' &) ; sleep {mark}",
            timeout=60,
            on_output=lambda _: begun.set(),
        )
    )
    await asyncio.wait_for(begun.wait(), 10)
    await until(lambda: len(running(f"sleep {mark}")) >= 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as stop:
        await asyncio.wait_for(task, 10)
    assert own(stop.value.args[0]) == "before\n"
    await until(lambda: not running(f"sleep {mark}"), seconds=2)


async def test_what_ignores_signals_is_killed_too(environment: Workroom) -> None:
    mark = f"86{os.getpid()}3"
    ended = await environment.run(
        f"trap '' TERM INT HUP; while :; do sleep {mark} ; done", timeout=0.3
    )
    assert ended.exit_code == 124
    await until(lambda: not running(f"sleep {mark}"))


async def test_a_fork_bomb_ends_with_its_time(environment: Workroom, work: Path) -> None:
    mark = f"bomb{os.getpid()}"
    (work / mark).write_text('[ "$1" = 8 ] && sleep 60\nfor i in 1 2; do sh $0 $(($1 + 1)) & done')
    ended = await environment.run(f"sh {mark} 1; wait; sleep 60", timeout=1)
    assert ended.exit_code == 124
    await until(lambda: not running(mark))


async def test_a_child_that_holds_the_output_is_not_waited_for(
    environment: Workroom,
) -> None:
    ended = await asyncio.wait_for(environment.run("sleep 600 & echo $!", timeout=60), 20)
    assert ended.exit_code == 0
    if environment.name == "local":
        os.kill(int(ended.output), signal.SIGKILL)  # it lives on, as in any shell


async def test_what_a_child_prints_later_does_not_kill_it(
    environment: Workroom, work: Path
) -> None:
    if environment.name == "bubblewrap":
        pytest.skip("the PID namespace ends with the command")
    await environment.run("(sleep 0.3; echo late; echo alive >witness) &", timeout=10)
    await until((work / "witness").exists)


async def test_directory_and_exported_variables_carry_over(environment: Workroom) -> None:
    value = 'it\'s "$HOME" `x` \\ \n\t\x01 ü'
    (Path(environment.cwd) / "below").mkdir()
    await environment.run(f"export KEPT={_quoted(value)}; lost=1; cd below", timeout=10)
    ended = await environment.run('pwd; echo "${lost-gone}"; printf %s "$KEPT" | od -c', timeout=10)
    bare = await environment.run(f"printf %s {_quoted(value)} | od -c", timeout=10)
    assert environment.cwd.endswith("/below")
    assert ended.output == f"{environment.cwd}\ngone\n{bare.output}"
    await environment.run("unset KEPT", timeout=10)
    assert (await environment.run('echo "${KEPT-gone}"', timeout=10)).output == "gone\n"


@pytest.mark.parametrize("end", ["exit 7", "false; set -e; false", "trap 'echo bye' EXIT"])
async def test_however_a_command_ends_its_directory_carries_over(
    environment: Workroom, end: str
) -> None:
    await environment.run(f"cd /usr; {end}", timeout=10)
    assert environment.cwd == "/usr"


async def test_a_command_in_another_directory_changes_nothing(
    environment: Workroom,
) -> None:
    before = environment.cwd
    ended = await environment.run("pwd; export ASIDE=1; cd /", workdir="/usr", timeout=10)
    assert ended.output == "/usr\n"
    assert (await environment.run("echo $PWD ${ASIDE-none}", timeout=10)).output == (
        f"{before} none\n"
    )


async def test_without_persistence_each_command_starts_anew(place: Place, work: Path) -> None:
    environment = create("local", Place(cwd=str(work), variables=place.variables, persistent=False))
    await environment.run("cd /usr; export KEPT=1", timeout=10)
    assert (await environment.run("pwd; echo ${KEPT-none}", timeout=10)).output == f"{work}\nnone\n"
    await environment.close()


async def test_a_vanished_directory_is_told_and_nothing_is_run(
    environment: Workroom, work: Path
) -> None:
    (work / "below").mkdir()
    await environment.run("cd below", timeout=10)
    (work / "below").rmdir()
    with pytest.raises(EnvironmentFault, match="below is gone") as fault:
        await environment.run("touch witness", timeout=10)
    assert str(work) in (fault.value.hint or "")
    assert (await environment.run("ls; pwd", timeout=10)).output == f"{work}\n"


@pytest.mark.parametrize("where", ["missing", "file"])
async def test_a_directory_that_is_none_is_an_error(
    environment: Workroom, work: Path, where: str
) -> None:
    (work / "file").write_text("")
    with pytest.raises(EnvironmentFault, match=where):
        await environment.run("true", workdir=where, timeout=10)


@pytest.mark.skipif(os.getuid() == 0, reason="NOT TESTED: root may enter every directory")
async def test_a_directory_that_may_not_be_entered_is_an_error(
    environment: Workroom, work: Path
) -> None:
    (work / "closed").mkdir(mode=0)
    ended = await _outcome(environment, "closed")
    assert "closed" in ended


async def _outcome(environment: Workroom, workdir: str) -> str:
    try:
        return (await environment.run("true", workdir=workdir, timeout=10)).output
    except EnvironmentFault as fault:
        return fault.message


async def test_a_very_long_command_runs(environment: Workroom) -> None:
    ended = await environment.run(f"cat <<'END' | wc -c\n{'ü' * 200_000}\nEND", timeout=10)
    assert ended.output.strip() == "400001"


async def test_a_command_that_cannot_be_given_to_a_shell_is_an_error(
    environment: Workroom,
) -> None:
    with pytest.raises(EnvironmentFault):
        await environment.run("echo a\0b", timeout=10)


async def test_a_command_runs_when_nothing_can_be_written_for_it(
    environment: Workroom,
) -> None:
    if not isinstance(environment, LocalEnvironment):
        pytest.skip("a full disk shows as with local, and in containers has a test of its own")
    folder = str(environment._enclosure.scratch or "")  # pyright: ignore[reportPrivateUsage] - a disk that is full is simulated by its absence
    os.rename(folder, f"{folder}-away")
    ended = await environment.run("cd /usr; echo fine", timeout=10)
    os.rename(f"{folder}-away", folder)
    assert (ended.output, ended.exit_code) == ("fine\n", 0)


async def test_a_terminal_is_a_terminal(environment: Workroom) -> None:
    ended = await environment.run("tty && tty </dev/tty; stty size; [ -t 1 ]", timeout=10, pty=True)
    lines = ended.output.splitlines()
    assert ended.exit_code == 0
    assert lines[0].startswith("/dev/")
    assert lines[1] == "/dev/tty"
    assert lines[2] == "40 120"


async def test_a_terminal_prints_plain_lines(environment: Workroom) -> None:
    ended = await environment.run("printf '\\033[31ma\\033[0m\\nb\\n'", timeout=10, pty=True)
    assert ended.output == "a\nb\n"


async def test_no_program_waits_at_a_terminal_for_keys(environment: Workroom) -> None:
    ended = await environment.run("cat; echo over", timeout=20, pty=True)
    assert ended.exit_code == 0
    assert ended.output.endswith("over\n")


async def test_time_out_ends_what_runs_in_a_terminal(environment: Workroom) -> None:
    mark = f"86{os.getpid()}4"
    ended = await environment.run(f"echo a; sleep {mark}", timeout=0.5, pty=True)
    assert (ended.exit_code, own(ended.output)) == (124, "a\n")
    await until(lambda: not running(f"sleep {mark}"))


async def test_commands_run_side_by_side(environment: Workroom, work: Path) -> None:
    meet = "touch {0}; until [ -e {1} ]; do sleep 0.01; done; echo {0}"
    both = await asyncio.gather(
        environment.run(meet.format("a", "b"), timeout=20),
        environment.run(meet.format("b", "a"), timeout=20),
    )
    assert [ended.output for ended in both] == ["a\n", "b\n"]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"
