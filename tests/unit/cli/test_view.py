"""A turn's events on a surface."""

from hermes_agent.cli.terminal.view import Progress, ScreenView
from hermes_agent.domain.events import (
    Completed,
    Event,
    Failed,
    Interrupted,
    MessageDone,
    Notice,
    Steered,
    ToolFinished,
    ToolOutput,
    ToolStarted,
    TurnEnded,
)
from hermes_agent.domain.messages import Message, ToolCall, ToolResult, Usage
from hermes_agent.domain.model import ReasoningDelta, Retrying, TextDelta

ANSWER = Message(role="assistant", content="x")


class Paper:
    """A surface that remembers. `shown` is what is printed and, at the end, what is live."""

    def __init__(self, columns: int = 80) -> None:
        self.columns = columns
        self.printed: list[str] = []
        self.lively = ""

    def print(self, text: str) -> None:
        self.printed.append(text.rstrip("\n"))

    def live(self, text: str) -> None:
        self.lively = text


def shown(
    *events: Event, progress: Progress = "all", reasoning: bool = False, columns: int = 80
) -> Paper:
    paper = Paper(columns)
    view = ScreenView(
        paper,
        render=lambda block: f"<{block.strip()}>",
        colour=False,
        progress=progress,
        reasoning=reasoning,
        clock=lambda: 0.0,
    )
    for event in events:
        view.show(event)
    return paper


def call(name: str, identity: str) -> ToolCall:
    return ToolCall(id=identity, name=name, arguments="{}")


def started(identity: str, summary: str = "$ make", name: str = "terminal") -> ToolStarted:
    return ToolStarted(call=call(name, identity), summary=summary)


def finished(identity: str, name: str = "terminal", **more: object) -> ToolFinished:
    fields = {"call_id": identity, "name": name, "content": "", "duration": 1.5, **more}
    return ToolFinished(result=ToolResult(**fields))  # type: ignore[arg-type]


def ended(ending: Completed | Failed | Interrupted) -> TurnEnded:
    return TurnEnded(ending=ending, usage=Usage(), iterations=1, duration=1.0)


def test_the_open_block_is_live_and_a_finished_one_is_printed() -> None:
    paper = shown(TextDelta("one\n\ntw"), TextDelta("o"))
    assert paper.printed == ["<one>"]
    assert paper.lively == "two"
    assert shown(TextDelta("one\n\ntwo"), MessageDone(ANSWER)).printed == ["<one>", "<two>"]


def test_sequences_torn_over_deltas_never_show() -> None:
    paper = shown(TextDelta("a\x1b["), TextDelta("2Jb\x1b]0;x"), TextDelta("\x07c"))
    assert paper.lively == "abc"


def test_running_tools_show_the_end_of_their_own_output() -> None:
    paper = shown(
        started("1", "$ one"),
        started("2", "$ two"),
        ToolOutput("1", "10%\r20%"),
        ToolOutput("2", "b1\nb2\n\x1b[2Jb3"),
    )
    lines = paper.lively.split("\n")
    assert lines == ["● $ one", "  20%", "● $ two", "  b1", "  b2", "  b3"]
    after = shown(started("1"), started("2", "$ two"), finished("1"))
    assert after.lively == "● $ two"
    assert after.printed == ["✓ terminal  $ make  1.5 s"]


def test_output_of_an_unknown_call_is_left_alone() -> None:
    assert shown(ToolOutput("9", "late")).lively == ""


def test_a_tool_line_is_one_line_of_the_terminal() -> None:
    paper = shown(started("1", "$ " + "x" * 200 + "\nmore"), finished("1"), columns=40)
    assert paper.printed == [f"✓ terminal  $ {'x' * 18}…  1.5 s"]


def test_a_diff_is_shown_below_its_tool_without_control_characters() -> None:
    diff = "--- a/f\n+++ b/f\n@@ -1,2 +1 @@\n--- a comment\n+\x1b[2Jnew\n"
    paper = shown(started("1"), finished("1", diff=diff))
    assert paper.printed[1].split("\n") == ["  @@ -1,2 +1 @@", "  --- a comment", "  +new"]


def test_a_failed_tool_says_why() -> None:
    paper = shown(started("1"), finished("1", status="error", content='{"error": "no such file"}'))
    assert paper.printed == ["✗ terminal  $ make  1.5 s\n  no such file"]


def test_progress_decides_which_tools_are_shown() -> None:
    events = [started("1"), finished("1"), started("2"), finished("2")]
    assert len(shown(*events).printed) == 2
    assert len(shown(*events, progress="new").printed) == 1
    assert shown(*events, progress="off").printed == []
    bad = [started("1"), finished("1", status="denied")]
    assert len(shown(*bad, progress="off").printed) == 1, "trouble is never hidden"
    verbose = shown(started("1"), ToolOutput("1", "out\n"), finished("1"), progress="verbose")
    assert verbose.printed[1] == "  out"


def test_thinking_is_shown_only_when_wanted() -> None:
    events = [ReasoningDelta("hm \x1b[2J"), TextDelta("so"), MessageDone(ANSWER)]
    assert shown(*events).printed == ["<so>"]
    assert shown(*events, reasoning=True).printed == ["  hm", "<so>"]


def test_a_retry_voids_what_was_written() -> None:
    retry = Retrying(reason="It broke.", delay=2, attempt=1, model="m")
    paper = shown(TextDelta("half"), retry, TextDelta("whole"), MessageDone(ANSWER))
    assert paper.printed == [
        "… what was written of this answer is void",
        "… It broke. Asking m again in 2 s.",
        "<whole>",
    ]


def test_however_a_turn_ends_nothing_stays_live() -> None:
    for ending, said in (
        (Completed(ANSWER), ""),
        (Interrupted(), "Interrupted"),
        (
            Failed(error="E", message="It \x1b[2Jfailed.", hint="Do this."),
            "✗ It failed.\n  Do this.",
        ),
    ):
        paper = shown(TextDelta("half"), started("1"), ended(ending))
        assert paper.lively == ""
        assert paper.printed[0] == "<half>"
        assert said in "\n".join(paper.printed[1:])


def test_words_from_elsewhere_are_cleaned() -> None:
    assert shown(Notice("a\x1b[2Jb"), Steered("c\x07d")).printed == ["ab", "↳ cd"]
