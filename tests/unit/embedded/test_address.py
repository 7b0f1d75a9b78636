"""A state file is believed only while the process that it names holds the lock."""

import fcntl
import os
from pathlib import Path

import msgspec
import pytest

from hermes_agent.providers.embedded.address import Address, Meeting, started


@pytest.fixture
def meeting(tmp_path: Path) -> Meeting:
    return Meeting(tmp_path)


def write(meeting: Meeting, *, pid: int, began: str) -> None:
    address = Address(pid=pid, started=began, url="http://x", key="k", model="m", context=1)
    meeting.state.write_bytes(msgspec.json.encode(address))


def held(meeting: Meeting) -> int:
    descriptor = os.open(meeting.lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def test_without_the_lock_a_state_file_means_nothing(meeting: Meeting) -> None:
    write(meeting, pid=os.getpid(), began=started(os.getpid()))
    assert meeting.address() is None
    meeting.lock.touch()
    assert meeting.address() is None


def test_the_holder_of_the_lock_is_believed(meeting: Meeting) -> None:
    write(meeting, pid=os.getpid(), began=started(os.getpid()))
    lock = held(meeting)
    found = meeting.address()
    os.close(lock)
    assert found is not None
    assert found.pid == os.getpid()


def test_a_pid_that_went_to_another_process_is_not_believed(meeting: Meeting) -> None:
    write(meeting, pid=os.getpid(), began="12345")
    lock = held(meeting)
    found = meeting.address()
    os.close(lock)
    assert found is None


@pytest.mark.parametrize("torn", [b"", b"{", b'{"pid": "x"}', b"\xff"])
def test_a_torn_state_file_is_no_address(meeting: Meeting, torn: bytes) -> None:
    meeting.state.write_bytes(torn)
    lock = held(meeting)
    found = meeting.address()
    os.close(lock)
    assert found is None


def test_a_process_that_is_gone_has_no_start() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert started(child) == ""
    assert started(os.getpid())
