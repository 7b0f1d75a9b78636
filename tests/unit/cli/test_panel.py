"""Questions above the input line."""

import asyncio

import pytest

from hermes_agent.cli.terminal.asker import TerminalAsker
from hermes_agent.cli.terminal.panel import GUARD, Option, Panel
from hermes_agent.domain.asking import ApprovalRequest

ONCE, DENY = Option("o", "once", "once"), Option("d", "deny", "deny")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def approval(clock: Clock) -> Panel:
    return Panel("May it?", "rm -rf x", (ONCE, DENY), selected=1, silence="denied", clock=clock)


async def test_a_letter_chooses_once_the_question_has_been_there_long_enough() -> None:
    clock = Clock()
    panel = approval(clock)
    assert not panel.key("o")
    clock.now += GUARD
    assert panel.key("o")
    assert await panel.answer(1) == "once"


async def test_the_guard_begins_when_the_question_is_seen_not_when_it_is_made() -> None:
    clock = Clock()
    panel = approval(clock)
    clock.now += 10
    waiting = asyncio.ensure_future(panel.answer(None))
    await asyncio.sleep(0)
    assert not panel.key("o")
    panel.choose(None)
    assert await waiting is None


async def test_enter_alone_denies_and_too_early_does_nothing() -> None:
    clock = Clock()
    panel = approval(clock)
    assert panel.enter("") == "ignored"
    clock.now += GUARD
    assert panel.enter("") == "answered"
    assert await panel.answer(1) == "deny"


async def test_arrows_that_come_too_early_select_nothing() -> None:
    clock = Clock()
    panel = approval(clock)
    panel.move(1)
    assert panel.selected == 1
    clock.now += GUARD
    panel.move(1)
    assert panel.selected == 0
    assert panel.enter("half a line") == "ignored", "the line stays, the choice is made"
    assert await panel.answer(1) == "once"


async def test_a_line_typed_at_an_approval_is_for_the_agent() -> None:
    clock = Clock()
    panel = approval(clock)
    clock.now += GUARD
    assert panel.enter("not that folder") == "passed"


async def test_other_letters_are_swallowed_so_that_the_right_ones_keep_counting() -> None:
    clock = Clock()
    panel = approval(clock)
    clock.now += GUARD
    assert panel.key("y")
    assert panel.key("d")
    assert await panel.answer(1) == "deny"


async def test_words_answer_a_question_with_free_text() -> None:
    clock = Clock()
    panel = Panel("Asks", "Which?", (Option("", "red", "red"),), free_text=True, clock=clock)
    assert panel.enter("blue") == "ignored"
    clock.now += GUARD
    assert not panel.key("b")
    assert panel.enter(" blue ") == "answered"
    assert await panel.answer(1) == "blue"


async def test_silence_is_nobodys_answer() -> None:
    assert await approval(Clock()).answer(0.01) is None


REQUEST = ApprovalRequest(tool="terminal", subject="x", reason="Because.", rule="r")


@pytest.mark.parametrize("answer", [None, "deny", "nonsense"])
async def test_everything_but_a_choice_on_offer_is_a_denial(answer: str | None) -> None:
    async def ask(panel: Panel, timeout: float | None) -> str | None:
        assert panel.options[panel.selected].value == "deny"
        assert timeout == 60
        return answer

    asker = TerminalAsker(ask, approval_timeout=60, clarify_timeout=120)
    assert await asker.approve(REQUEST) == "deny"


async def test_beginning_and_end_of_a_long_command_are_shown() -> None:
    shown: list[str] = []

    async def ask(panel: Panel, timeout: float | None) -> str | None:
        shown.append(panel.body)
        return None

    asker = TerminalAsker(ask, approval_timeout=60, clarify_timeout=120)
    lines = "\n".join(f"line {n}" for n in range(100))
    request = ApprovalRequest(
        tool="terminal", subject=f"first {'x' * 9000} last\n{lines}", reason="", rule="r"
    )
    await asker.approve(request)
    for part in ("first", " last\n", "line 99", "more lines"):
        assert part in shown[0]
    assert len(shown[0]) < 3000
