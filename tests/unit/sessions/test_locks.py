"""One holder a session: between processes, and between two parts of one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hermes_agent.sessions.locks import FILE, SessionInUse, SessionLocks

HOLD = """
import sys
from pathlib import Path
from hermes_agent.sessions.locks import SessionLocks
SessionLocks(Path(sys.argv[1])).take(sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


def hold(folder: Path, session_id: str) -> "subprocess.Popen[str]":
    """Another process that holds the session until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), session_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_session_of_another_process_is_refused_with_its_pid(tmp_path: Path):
    locks = SessionLocks(tmp_path)
    with hold(tmp_path, "one") as other:
        with pytest.raises(SessionInUse, match=rf"one is in use .* \(pid {other.pid}\)\."):
            locks.take("one")
        locks.take("two")
        other.kill()
        other.wait(20)
    locks.take("one")


def test_two_parts_of_one_process_exclude_each_other(tmp_path: Path):
    mine, yours = SessionLocks(tmp_path), SessionLocks(tmp_path)
    mine.take("one")
    with pytest.raises(SessionInUse, match=f"pid {os.getpid()}"):
        yours.take("one")
    mine.release("one")
    yours.take("one")
    with pytest.raises(SessionInUse):
        mine.take("one")


def test_what_is_taken_twice_is_free_after_the_second_release(tmp_path: Path):
    mine, yours = SessionLocks(tmp_path), SessionLocks(tmp_path)
    for _ in range(2):
        mine.take("one")
    mine.take("two")
    mine.release("one")
    with pytest.raises(SessionInUse):
        yours.take("one")
    mine.release("one")
    yours.take("one")
    with pytest.raises(SessionInUse):
        yours.take("two")


def test_a_refused_session_takes_no_other_away(tmp_path: Path):
    mine, yours = SessionLocks(tmp_path), SessionLocks(tmp_path)
    mine.take("one")
    yours.take("two")
    with pytest.raises(SessionInUse):
        yours.take("one")
    with pytest.raises(SessionInUse):
        mine.take("two")


def test_a_removed_file_is_made_again(tmp_path: Path):
    locks = SessionLocks(tmp_path)
    locks.take("one")
    locks.release("one")
    (tmp_path / FILE).unlink()
    locks.take("one")
    with pytest.raises(SessionInUse):
        SessionLocks(tmp_path).take("one")


def test_where_no_lock_can_be_had_nothing_is_held(tmp_path: Path):
    locks = SessionLocks(tmp_path / "missing")
    locks.take("one")
    locks.release("one")


def test_ids_of_any_shape_have_a_lock(tmp_path: Path):
    mine, yours = SessionLocks(tmp_path), SessionLocks(tmp_path)
    for odd in ("../../x", "a/b", "ü" * 200, "\ud800", ""):
        mine.take(odd)
        with pytest.raises(SessionInUse):
            yours.take(odd)
