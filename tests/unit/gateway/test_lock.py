"""One gateway a home, one a bot token."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from hermes_agent.gateway.lock import (
    AlreadyRunning,
    Holder,
    LockUnusable,
    hold,
    hold_token,
    holder,
    lock_file,
    token_lock_file,
)
from hermes_agent.gateway.process import send, start_ticks, this_process

HOLDING = """
import sys, time
from pathlib import Path
from hermes_agent.gateway.lock import hold
kept = hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home(home: Path) -> Path:
    home.mkdir(mode=0o700)
    return home


@contextmanager
def another_gateway(home: Path) -> Generator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    try:
        assert process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_home_without_a_gateway_has_no_holder(home: Path) -> None:
    assert holder(home) is None
    assert not lock_file(home).exists()


def test_the_second_gateway_of_a_home_is_refused_and_told_by_whom(home: Path) -> None:
    with another_gateway(home) as other:
        with pytest.raises(AlreadyRunning, match=f"pid {other.pid}") as caught:
            hold(home)
        assert caught.value.holder.pid == other.pid
        assert "gateway stop" in (caught.value.hint or "")


def test_the_holder_says_which_process_it_is(home: Path) -> None:
    with another_gateway(home) as other:
        found = holder(home)
        assert found
        assert found.here
        assert (found.pid, found.start_ticks) == (other.pid, start_ticks(other.pid))
        assert found.home == str(home)
        assert found.since > 0


def test_a_killed_gateway_leaves_the_lock_free_whatever_its_file_says(home: Path) -> None:
    with another_gateway(home) as other:
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
    assert json.loads(lock_file(home).read_bytes())["pid"] == other.pid
    assert holder(home) is None
    hold(home).release()


def test_looking_deletes_and_changes_nothing(home: Path) -> None:
    lock_file(home).write_text("left behind")
    assert holder(home) is None
    assert lock_file(home).read_text() == "left behind"


def test_a_released_lock_is_free_and_names_nobody(home: Path) -> None:
    held = hold(home)
    held.release()
    held.release()
    assert holder(home) is None
    assert lock_file(home).read_bytes() == b""


def test_those_who_only_look_never_make_a_start_fail(home: Path) -> None:
    done = False

    def look() -> None:
        while not done:
            holder(home)

    with ThreadPoolExecutor(3) as lookers:
        looking = [lookers.submit(look) for _ in range(3)]
        try:
            for _ in range(300):
                hold(home).release()
        finally:
            done = True
        for one in looking:
            one.result()


def test_of_many_that_start_at_once_one_wins(home: Path) -> None:
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDING, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(6)
    ]
    said: list[bytes] = []
    for process in starting:
        assert process.stdout
        said.append(process.stdout.readline())
    for process in starting:
        process.communicate()
    assert sorted(said) == [b"", b"", b"", b"", b"", b"held\n"]


def test_a_child_of_the_gateway_does_not_inherit_the_lock(home: Path) -> None:
    held = hold(home)
    child = subprocess.Popen(["sleep", "60"])
    try:
        held.release()
        assert holder(home) is None
    finally:
        child.kill()
        child.wait()


def test_a_deleted_lock_file_is_taken_again(home: Path) -> None:
    held = hold(home)
    assert not held.keep()
    lock_file(home).unlink()
    assert holder(home) is None
    assert held.keep()
    assert holder(home) == held.holder
    held.release()


def test_who_lost_its_lock_file_to_another_gateway_is_told(home: Path) -> None:
    held = hold(home)
    lock_file(home).unlink()
    with another_gateway(home), pytest.raises(AlreadyRunning, match="was deleted"):
        held.keep()
    held.release()


def test_a_link_planted_as_the_lock_file_is_not_followed(home: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    lock_file(home).symlink_to(victim)
    with pytest.raises(LockUnusable):
        hold(home)
    with pytest.raises(LockUnusable):
        holder(home)
    assert not victim.exists()


def test_a_pipe_planted_as_the_lock_file_holds_nobody_up(home: Path) -> None:
    os.mkfifo(lock_file(home))
    with pytest.raises(LockUnusable, match="plain file"):
        hold(home)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b'{"pid": "x"}', b"[" * 5000, b"123"])
def test_nonsense_in_a_held_file_is_a_holder_without_a_name(home: Path, text: bytes) -> None:
    lock_file(home).write_bytes(text)
    descriptor = os.open(lock_file(home), os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        found = holder(home)
        assert found
        assert found == Holder()
        assert found.described() == "a process that has not named itself"
    finally:
        os.close(descriptor)


def test_what_a_held_file_says_of_its_holder_reaches_no_terminal_raw(home: Path) -> None:
    text = json.dumps({"pid": 1, "pid_namespace": 1, "container": "\x1b[2J", "home": "/\n\x9b2J"})
    lock_file(home).write_text(text)
    descriptor = os.open(lock_file(home), os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(AlreadyRunning) as caught:
            hold(home)
        assert caught.value.message.isprintable()
        assert caught.value.holder.home.isprintable()
    finally:
        os.close(descriptor)


def test_the_lock_of_a_shared_home_can_be_looked_at_by_its_group(home: Path) -> None:
    home.chmod(0o2770)
    hold(home).release()
    assert lock_file(home).stat().st_mode & 0o777 == 0o660


def test_the_lock_of_a_private_home_is_private(home: Path) -> None:
    hold(home).release()
    assert lock_file(home).stat().st_mode & 0o777 == 0o600


def test_a_pid_of_another_namespace_is_not_ours_to_signal(home: Path) -> None:
    held = hold(home)
    about = this_process()
    elsewhere = Holder(
        pid=about.pid,
        start_ticks=about.start_ticks,
        boot_id=about.boot_id,
        pid_namespace=1,
        container="f" * 64,
    )
    assert not elsewhere.here
    assert elsewhere.described() == f"pid {about.pid} in container ffffffffffff"
    assert not send(elsewhere, signal.SIGTERM, having_open=lock_file(home))
    held.release()


def test_the_gateway_that_holds_the_lock_can_be_signalled(home: Path) -> None:
    with another_gateway(home) as other:
        found = holder(home)
        assert found
        assert send(found, signal.SIGTERM, having_open=lock_file(home))
        assert other.wait() == -signal.SIGTERM


def test_a_process_that_was_only_written_into_the_file_is_not_signalled(home: Path) -> None:
    victim = subprocess.Popen(["sleep", "60"])
    try:
        with another_gateway(home):
            found = holder(home)
            assert found
            planted = msgspec.structs.replace(
                found, pid=victim.pid, start_ticks=start_ticks(victim.pid)
            )
            assert not send(planted, signal.SIGKILL, having_open=lock_file(home))
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()


def test_a_pid_that_was_given_to_another_process_is_not_signalled(home: Path) -> None:
    with another_gateway(home) as other:
        found = holder(home)
        assert found
        for ticks in (1, None):
            reused = msgspec.structs.replace(found, start_ticks=ticks)
            assert not send(reused, signal.SIGKILL, having_open=lock_file(home))
        assert other.poll() is None


def test_two_homes_cannot_use_one_bot_token(home: Path, tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    held = hold_token("telegram", "1:abc", home, environ)
    with pytest.raises(AlreadyRunning, match="telegram token") as caught:
        hold_token("telegram", "1:abc", tmp_path / "other", environ)
    assert str(home) in caught.value.message
    hold_token("discord", "1:abc", home, environ).release()
    hold_token("telegram", "2:xyz", home, environ).release()
    held.release()
    hold_token("telegram", "1:abc", tmp_path / "other", environ).release()


def test_token_locks_stand_where_they_always_stood_without_the_token(tmp_path: Path) -> None:
    expected = "telegram-" + "ba7816bf8f01cfea" + ".lock"  # SHA-256 of "abc", FIPS 180-2
    state = token_lock_file("telegram", "abc", {"XDG_STATE_HOME": str(tmp_path)})
    assert state == tmp_path / "hermes" / "gateway-locks" / expected
    named = token_lock_file("telegram", "abc", {"HERMES_GATEWAY_LOCK_DIR": str(tmp_path)})
    assert named == tmp_path / expected
    default = token_lock_file("telegram", "abc", {"XDG_STATE_HOME": "relative"})
    assert default == Path.home() / ".local/state/hermes/gateway-locks" / expected


def test_a_folder_for_token_locks_that_cannot_be_made_is_said(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LockUnusable, match="gateway-locks"):
        hold_token("telegram", "abc", home, {"XDG_STATE_HOME": str(tmp_path / "file")})
