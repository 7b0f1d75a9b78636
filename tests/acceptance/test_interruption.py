"""Being stopped: by the person, by the machine."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.hermes import Hermes
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Until it holds; a failure says that it never did."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pid_in(path: Path) -> int:
    wait_for(lambda: path.exists() and path.read_text().strip().isdigit())
    return int(path.read_text())


def assert_whole(messages: list[dict[str, object]]) -> None:
    """Every call has its result."""
    asked = [c["id"] for m in messages for c in (m.get("tool_calls") or [])]  # type: ignore[union-attr, index]
    answered = [m["tool_call_id"] for m in messages if m["role"] == "tool"]
    assert asked == answered


def test_kill_9_in_the_middle_of_a_tool_call_leaves_a_history_that_says_so(
    hermes: Hermes, server: ModelServer
) -> None:
    command = "echo $$ > shell.pid; touch began; sleep 1000"
    server.say(Reply(text="Starting.", calls=[Call("terminal", {"command": command})]))
    with hermes.started("-q", "run it") as process:
        child = pid_in(hermes.folder / "shell.pid")
        process.kill()
        process.wait()
    if running(child):
        os.kill(child, signal.SIGKILL)  # ours: nothing promises that it dies with kill -9
    server.say(Reply(text="I see."))
    ran = hermes.run("-c", "-q", "what happened?")
    assert ran.status == 0
    assert "interrupted" in ran.err
    messages = server.model_requests[-1].json["messages"]
    result = next(m for m in messages if m["role"] == "tool")
    assert "interrupted" in result["content"]
    assert messages[-1]["content"] == "what happened?"
    assert_whole(hermes.messages())


def test_ctrl_c_kills_the_command_and_keeps_the_history(
    hermes: Hermes, server: ModelServer
) -> None:
    command = "echo half; echo $$ > shell.pid; sleep 1000"
    server.say(Reply(calls=[Call("terminal", {"command": command})]))
    with hermes.started("-q", "run it") as process:
        child = pid_in(hermes.folder / "shell.pid")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    wait_for(lambda: not running(child))
    messages = hermes.messages()
    assert_whole(messages)
    assert "half" in str(messages[-1]["content"])


def test_ctrl_c_while_the_model_writes_keeps_what_was_seen(
    hermes: Hermes, server: ModelServer
) -> None:
    server.say(Reply(text="one two three four", chunks=["one ", "two ", "three"], pause=30))
    with hermes.started("-q", "count") as process:
        assert process.stdout is not None
        assert process.stdout.read(4) == b"one "
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    assert str(hermes.messages()[-1]["content"]).startswith("one")


def test_a_reader_that_goes_away_is_no_crash(hermes: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="word " * 50_000))
    with hermes.started("-q", "a lot") as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()
        process.stdout = None
        process.wait(20)
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
