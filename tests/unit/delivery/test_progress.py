"""Tools at work in one message."""

from hermes_agent.delivery.progress import LINES, Mode, Progress
from hermes_agent.delivery.render import render
from hermes_agent.domain.events import ToolFinished, ToolStarted
from hermes_agent.domain.messages import CallStatus, ToolCall, ToolResult
from tests.unit.delivery.platforms import TELEGRAM


def started(call: str, name: str, summary: str, arguments: str = "{}") -> ToolStarted:
    """A call begins."""
    return ToolStarted(ToolCall(call, name, arguments), summary)


def finished(call: str, name: str, status: CallStatus = "ok", summary: str = "") -> ToolFinished:
    """It ends after a second and a half."""
    return ToolFinished(
        ToolResult(
            call_id=call, name=name, content="", status=status, duration=1.5, summary=summary
        )
    )


def shown(mode: Mode, *events: ToolStarted | ToolFinished) -> str:
    """The message after these events."""
    progress = Progress(mode)
    for event in events:
        progress.feed(event)
    return progress.text()


TWO = (
    started("1", "terminal", "ls"),
    finished("1", "terminal"),
    started("2", "terminal", "make"),
)


def test_off_shows_nothing() -> None:
    assert shown("off", *TWO) == ""


def test_all_has_a_line_for_every_call() -> None:
    assert shown("all", *TWO) == "✓ `terminal: ls` (1.5 s)\n⋯ `terminal: make`"


def test_new_has_a_line_only_when_the_tool_changes() -> None:
    assert shown("new", *TWO) == "⋯ `terminal: make` ×2"
    more = (finished("2", "terminal"), started("3", "read_file", "a.py"))
    assert shown("new", *TWO, *more) == "✓ `terminal: make` ×2 (3.0 s)\n⋯ `read_file: a.py`"


def test_verbose_has_arguments_and_results() -> None:
    assert (
        shown(
            "verbose",
            started("1", "terminal", "ls", '{"command": "ls"}'),
            finished("1", "terminal", summary="3 lines"),
        )
        == '✓ `terminal: ls → 3 lines {"command": "ls"}` (1.5 s)'
    )


def test_how_a_call_ended_is_seen() -> None:
    endings: tuple[CallStatus, ...] = ("ok", "error", "denied", "interrupted")
    signs = [
        shown("all", started("1", "t", ""), finished("1", "t", status))[0] for status in endings
    ]
    assert len(set(signs)) == len(endings)


def test_many_calls_at_once_keep_their_own_lines() -> None:
    events = [started(str(n), "t", f"call {n}") for n in range(3)]
    assert shown("all", *events, finished("1", "t")) == (
        "⋯ `t: call 0`\n✓ `t: call 1` (1.5 s)\n⋯ `t: call 2`"
    )


def test_only_the_last_lines_are_shown_and_the_others_counted() -> None:
    events = [started(str(n), f"t{n}", "") for n in range(LINES + 12)]
    lines = shown("all", *events).split("\n")
    assert lines[0] == "… and 12 more"
    assert len(lines) == LINES + 1


def test_an_ending_of_an_unknown_call_changes_nothing() -> None:
    assert shown("all", finished("9", "t")) == ""


def test_arguments_are_text_whatever_they_hold_and_lines_stay_short() -> None:
    hostile = "`` **b** @everyone <b>\n\n# x\x1b[0m " + "y" * 100_000
    text = shown("verbose", started("1", "t", hostile, hostile))
    (post,) = render(text, TELEGRAM)
    assert len(text) < 400
    assert "\n" not in text
    assert "<code>t: `` **b** @everyone &lt;b&gt; # x[0m y" in post.text
