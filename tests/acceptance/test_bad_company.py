"""Two processes on one home, two in one session."""

import json
import signal
import threading

from tests.acceptance.hermes import Hermes
from tests.acceptance.test_interruption import assert_whole
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply


def test_questions_at_the_same_time_are_all_answered_and_stored(
    hermes: Hermes, server: ModelServer
) -> None:
    server.always(Reply(text="fine"))
    statuses: list[int] = []

    def ask(number: int) -> None:
        statuses.append(hermes.run("-q", f"question {number}").status)

    threads = [threading.Thread(target=ask, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [0, 0, 0, 0]
    listed = json.loads(hermes.run("sessions", "list", "--json").out)
    assert sorted(row["preview"] for row in listed) == [f"question {n}" for n in range(4)]
    assert hermes.run("doctor", "--offline", "--fix").status == 0


def test_a_session_that_another_process_works_on_is_not_resumed(
    hermes: Hermes, server: ModelServer
) -> None:
    reached, hold = threading.Event(), threading.Event()
    calls = [Call("terminal", {"command": "echo one >> ran"})]
    server.say(Reply(text="Slow", calls=calls, reached=reached, hold=hold), Reply(text="done"))
    with hermes.started("-q", "first") as process:
        assert reached.wait(30)
        ran = hermes.run("-c", "-q", "second")
        assert ran.status == 1
        assert f"is in use by another process (pid {process.pid})." in ran.err
        identity = json.loads(hermes.run("sessions", "list", "--json").out)[0]["id"]
        ran = hermes.run("sessions", "delete", identity, "-y")
        assert ran.status == 1
        assert "in use" in ran.err
        hold.set()
        assert process.wait(30) == 0
    server.say(Reply(text="now"))
    assert hermes.run("-c", "-q", "third").out == "now\n"
    assert [m["role"] for m in hermes.messages()] == [
        "user", "assistant", "tool", "assistant", "user", "assistant",
    ]  # fmt: skip
    assert_whole(hermes.messages())
    assert list((hermes.home / "sessions").glob("*.lock")) == []


def test_the_lock_of_a_killed_process_holds_nobody_up(hermes: Hermes, server: ModelServer) -> None:
    reached = threading.Event()
    server.say(Reply(text="Slow", reached=reached, hold=threading.Event()), Reply(text="now"))
    with hermes.started("-q", "first") as process:
        assert reached.wait(30)
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    assert hermes.run("-c", "-q", "second").out == "now\n"
