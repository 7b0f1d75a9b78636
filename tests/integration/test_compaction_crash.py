"""A process that is killed while it shortens a conversation leaves one whole session."""

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hermes_agent.store.sqlite.recovery import problems
from hermes_agent.store.sqlite.store import SqliteStore

TALKER = [sys.executable, "-m", "tests.integration.compaction_talker"]
MOMENTS = (
    "summary-asked",
    "summary-written",
    "copied-0",
    "copied-1",
    "copied-3",
    "copied-last",
    "parent-ended",
    "committed",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def talk(folder: Path, moment: str, turns: int) -> Iterator[str]:
    """What the process acknowledged until it was killed at that moment, or had said it all."""
    process = subprocess.Popen(
        [*TALKER, str(folder), moment, str(turns)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None and process.stderr is not None
    yield from (line.strip() for line in process.stdout)
    error = process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    status = process.wait(30)
    assert status == (-signal.SIGKILL if moment else 0), error


def assert_whole(folder: Path, acknowledged: set[str]) -> str:
    """One newest session, valid, with all that was acknowledged somewhere; returns its id."""
    assert problems(folder / "state.db") == ()
    store = SqliteStore.open(folder / "state.db")
    try:
        rows = [store.get(each.id) for each in store.list()]
        ended = {row.id for row in rows if row.end_reason == "compression"}
        assert ended == {row.parent_session_id for row in rows if row.parent_session_id}
        assert len(rows) == len(ended) + 1
        newest = store.tip("first")
        repaired = store.repair(newest)
        waiting: list[str] = []
        for message in repaired.history:
            if message.role == "tool":
                assert message.tool_call_id == waiting.pop(0)
            else:
                assert not waiting
                waiting = [call.id for call in message.tool_calls]
        assert not waiting
        said = {m.content.split()[0] for row in rows for m in store.history(row.id)}
        assert acknowledged <= said
        for fact in acknowledged:
            assert len([h for h in store.search(f'"{fact}"') if h.role == "user"]) >= 1
        return newest
    finally:
        store.close()


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_step_of_the_change_the_session_is_whole_and_goes_on(
    folder: Path, moment: str
) -> None:
    acknowledged = set(talk(folder, moment, 100))
    assert acknowledged
    killed_in = assert_whole(folder, acknowledged)
    assert (killed_in != "first") == (moment == "committed")
    acknowledged |= set(talk(folder, "", 12))
    assert assert_whole(folder, acknowledged) != "first"


def test_killed_at_random_instants_nothing_is_ever_lost(folder: Path) -> None:
    chance = random.Random(7)
    acknowledged: set[str] = set()
    for _ in range(12):
        process = subprocess.Popen(
            [*TALKER, str(folder), "", "400"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 40)):
            acknowledged.add(process.stdout.readline().strip())
        process.kill()
        acknowledged |= {line.strip() for line in process.stdout}
        process.stdout.close()
        process.wait(30)
        assert_whole(folder, acknowledged)
    assert len(acknowledged) > 50
