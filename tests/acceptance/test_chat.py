"""One question, one answer: `hermes -q`, pipes, `-Q`, `--json`, resuming."""

import json

import pytest

from tests.acceptance.hermes import Hermes
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply

FIND_LARGEST = "find . -type f -printf '%s %f\\n' | sort -n | tail -1"


def test_a_question_gets_its_answer_on_stdout(hermes: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="Four."))
    ran = hermes.run("-q", "two and two?")
    assert (ran.status, ran.out) == (0, "Four.\n")


def test_the_agent_does_a_task_with_its_tools(hermes: Hermes, server: ModelServer) -> None:
    (hermes.folder / "small.txt").write_text("x")
    (hermes.folder / "large.bin").write_bytes(b"x" * 5000)
    server.say(
        Reply(text="I look.", calls=[Call("terminal", {"command": FIND_LARGEST})]),
        Reply(calls=[Call("write_file", {"path": "answer.txt", "content": "large.bin\n"})]),
        Reply(text="It is large.bin."),
    )
    ran = hermes.run(
        "-q", "find the largest file under this folder and write its name to answer.txt"
    )
    assert ran.status == 0
    assert (hermes.folder / "answer.txt").read_text() == "large.bin\n"
    seen = server.model_requests[1].json["messages"][-1]
    assert seen["role"] == "tool"
    assert "5000 large.bin" in seen["content"]


def test_bare_words_are_a_question(hermes: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="Hi."))
    assert hermes.run("say", "hi").out == "Hi.\n"
    assert server.model_requests[0].json["messages"][-1]["content"] == "say hi"


def test_text_from_a_pipe_is_the_question_or_stands_below_it(
    hermes: Hermes, server: ModelServer
) -> None:
    server.always(Reply(text="ok"))
    hermes.run(given="what is this?")
    hermes.run("-q", "explain", given="line one\nline two")
    asked = [request.json["messages"][-1]["content"] for request in server.model_requests]
    assert asked == ["what is this?", "explain\n\nline one\nline two"]


def test_quiet_prints_the_answer_an_empty_line_and_the_session_id(
    hermes: Hermes, server: ModelServer
) -> None:
    server.say(Reply(text="thinking", calls=[Call("terminal", {"command": "true"})]))
    server.say(Reply(text="done"))
    ran = hermes.run("-Q", "-q", "go")
    answer, empty, identity = ran.out.splitlines()
    assert (answer, empty) == ("done", "")
    assert identity.startswith("session_id: ")
    assert ran.err == ""


def test_json_prints_every_event_as_a_line(hermes: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="a b", calls=[Call("terminal", {"command": "echo hi"})]))
    server.say(Reply(text="done"))
    events = hermes.run("--json", "-q", "go").events
    kinds = [event["type"] for event in events]
    assert kinds[0] == "session"
    assert kinds[-1] == "turn_ended"
    assert {"text_delta", "tool_started", "tool_finished", "message"} <= set(kinds)
    assert events[-1]["ending"]["type"] == "completed"


def test_continue_goes_on_with_the_latest_session(hermes: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="Noted."), Reply(text="Blue."))
    hermes.run("-q", "my colour is blue")
    hermes.run("-c", "-q", "which colour?")
    first, second = (request.json for request in server.model_requests)
    assert second["messages"][: len(first["messages"])] == first["messages"]
    assert [m["content"] for m in second["messages"][-2:]] == ["Noted.", "which colour?"]


def test_resume_takes_a_title_or_the_beginning_of_an_id(
    hermes: Hermes, server: ModelServer
) -> None:
    server.always(Reply(text="ok"))
    hermes.run("-q", "first")
    hermes.run("-q", "second")
    first = json.loads(hermes.run("sessions", "list", "--json").out)[-1]["id"]
    assert hermes.run("sessions", "rename", first, "My plan").status == 0
    hermes.run("-r", "My plan", "-q", "by title")
    hermes.run("-r", first, "-q", "by id")
    sent = server.model_requests[-1].json["messages"]
    contents = [m["content"] for m in sent if m["role"] == "user"]
    assert contents == ["first", "by title", "by id"]


def test_an_unknown_session_is_an_error(hermes: Hermes) -> None:
    ran = hermes.run("-r", "no such thing", "-q", "hi")
    assert ran.status == 1
    assert "no such thing" in ran.err


def test_the_prompt_is_byte_identical_when_a_session_is_resumed(
    hermes: Hermes, server: ModelServer
) -> None:
    server.always(Reply(text="ok"))
    hermes.run("-q", "one")
    hermes.run("-c", "-q", "two")
    first, second = (request.body for request in server.model_requests)
    common = next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first)
    )
    assert common > 0.98 * len(first) - 200


def test_the_budget_of_model_calls_ends_with_an_answer_and_its_own_status(
    hermes: Hermes, server: ModelServer
) -> None:
    server.say(Reply(calls=[Call("terminal", {"command": "true"})]), Reply(text="So far so good."))
    ran = hermes.run("--max-turns", "1", "-q", "go")
    assert ran.status == 75
    assert "So far so good." in ran.out
    assert not server.model_requests[-1].json.get("tools")


def test_without_a_question_and_without_a_terminal_it_says_what_to_do(hermes: Hermes) -> None:
    ran = hermes.run("chat")
    assert ran.status == 2
    assert "hermes -q" in ran.err


def test_a_dangerous_command_is_denied_where_nobody_can_be_asked(
    hermes: Hermes, server: ModelServer
) -> None:
    victim = hermes.folder / "precious"
    victim.mkdir()
    server.say(Reply(calls=[Call("terminal", {"command": "rm -rf precious"})]), Reply(text="ok"))
    hermes.run("-q", "go")
    assert victim.is_dir()
    assert "enied" in server.model_requests[1].json["messages"][-1]["content"]


def test_yolo_lifts_the_asking_but_not_the_hard_blocks(hermes: Hermes, server: ModelServer) -> None:
    (hermes.folder / "build").mkdir()
    server.say(
        Reply(calls=[Call("terminal", {"command": "rm -rf build"})]),
        Reply(calls=[Call("terminal", {"command": "rm -rf --no-preserve-root /"})]),
        Reply(text="ok"),
    )
    hermes.run("--yolo", "-q", "go")
    assert not (hermes.folder / "build").exists()
    assert "locked" in server.model_requests[2].json["messages"][-1]["content"]


@pytest.mark.parametrize("option", ["--no-such-option", "--max-turns=0"])
def test_wrong_options_are_a_usage_error(hermes: Hermes, option: str) -> None:
    assert hermes.run("chat", option, "-q", "x").status == 2
