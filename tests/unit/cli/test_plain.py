"""Turns without a terminal application."""

import io
import json

from hermes_agent.cli.terminal.plain import JsonView, PlainView
from hermes_agent.domain.events import (
    Completed,
    Event,
    Failed,
    MessageDone,
    Notice,
    ToolFinished,
    ToolStarted,
    TurnEnded,
)
from hermes_agent.domain.messages import Message, ToolCall, ToolResult, Usage
from hermes_agent.domain.model import Retrying, TextDelta

ANSWER = Message(role="assistant", content="The answer.\x1b[2J")
TOOL = (
    ToolStarted(call=ToolCall(id="1", name="terminal", arguments="{}"), summary="$ ls"),
    ToolFinished(result=ToolResult(call_id="1", name="terminal", content="", duration=0.5)),
)


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def ended(ending: Completed | Failed) -> TurnEnded:
    return TurnEnded(ending=ending, usage=Usage(), iterations=1, duration=1.0)


def told(*events: Event, out: io.StringIO | None = None, **more: object) -> tuple[str, str]:
    out, err = out or io.StringIO(), io.StringIO()
    view = PlainView(out=out, err=err, **more)  # type: ignore[arg-type]
    for event in events:
        view.show(event)
    return out.getvalue(), err.getvalue()


def test_the_answer_goes_to_stdout_and_the_tools_to_stderr() -> None:
    events = [TextDelta("Look"), TextDelta("ing."), MessageDone(ANSWER), *TOOL]
    assert told(*events) == ("Looking.\n", "✓ terminal  $ ls  0.5 s\n")


def test_a_pipe_gets_the_bytes_of_the_answer_and_a_terminal_gets_it_cleaned() -> None:
    events = [TextDelta("a\x1b[2"), TextDelta("Jb"), MessageDone(ANSWER)]
    assert told(*events)[0] == "a\x1b[2Jb\n"
    assert told(*events, out=Tty())[0] == "ab\n"


def test_quiet_is_the_final_answer_alone() -> None:
    events = [TextDelta("thinking aloud"), *TOOL, ended(Completed(ANSWER))]
    assert told(*events, quiet=True) == ("The answer.\x1b[2J\n", "")


def test_trouble_is_told_even_when_quiet_and_tools_are_off() -> None:
    failed = ended(Failed(error="E", message="It failed.", hint="Do this."))
    out, err = told(*TOOL, Notice("Mind \x1b[2Jthis."), failed, progress="off")
    assert out == ""
    assert err == "Mind this.\n✗ It failed.\n  Do this.\n"


def test_half_characters_do_not_break_the_output() -> None:
    assert told(TextDelta("half \ud83d"))[0] == "half ?"


def test_json_is_one_line_an_event() -> None:
    out = io.StringIO()
    view = JsonView(out)
    view.say(type="session", session_id="s")
    for event in (TextDelta("a\nb\x1b"), ended(Completed(ANSWER))):
        view.show(event)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["type"] for line in lines] == ["session", "text_delta", "turn_ended"]
    assert lines[1]["text"] == "a\nb\x1b"


def test_an_answer_that_broke_off_is_said_to_be_void_before_it_comes_again() -> None:
    out, err = io.StringIO(), io.StringIO()
    view = PlainView(out=out, err=err)
    view.show(TextDelta("half an"))
    view.show(Retrying("The answer broke off", 1.0, 1, "m"))
    assert out.getvalue() == "half an\n"
    assert err.getvalue().splitlines() == [
        "… what was written of this answer is void",
        "… The answer broke off. Asking m again in 1 s.",
    ]
