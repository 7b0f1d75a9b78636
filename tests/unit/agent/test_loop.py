"""What a turn does, seen through its ports."""

import asyncio

import pytest

from hermes_agent.agent.control import Control
from hermes_agent.agent.loop import CONTINUE, Loop, Settings, said_by_person
from hermes_agent.domain.errors import RequestRefused
from hermes_agent.domain.events import (
    BudgetSpent,
    Completed,
    Event,
    Failed,
    Interrupted,
    Steered,
    ToolFinished,
    TurnEnded,
)
from hermes_agent.domain.messages import Message, ToolCall
from tests.unit.agent.parts import MemoryJournal, ScriptedModel, Tools, call, says

HELLO = Message(role="user", content="hello")


class Run:
    """A loop with everything that can be looked at afterwards."""

    def __init__(
        self, model: ScriptedModel, tools: Tools | None = None, *, max_iterations: int = 9
    ) -> None:
        self.model = model
        self.journal = MemoryJournal()
        self.control = Control()
        self.events: list[Event] = []
        self._loop = Loop(
            model=model,
            toolbox=tools or Tools(),
            journal=self.journal,
            settings=Settings(system="be good", max_iterations=max_iterations),
        )

    async def turn(self) -> TurnEnded:
        async with asyncio.timeout(10):
            return await self._loop.run([HELLO], self.control, self.events.append)

    @property
    def stored(self) -> list[tuple[str, str]]:
        return [(m.role, m.content) for m in self.journal.messages]


def assert_valid(messages: list[Message]) -> None:
    """Every call is answered, in order, before anything else is said."""
    open_calls: list[str] = []
    for message in messages:
        if message.role == "tool":
            assert message.tool_call_id == open_calls.pop(0)
            continue
        assert not open_calls
        open_calls = [c.id for c in message.tool_calls]
    assert not open_calls


async def test_an_answer_without_calls_ends_the_turn() -> None:
    run = Run(ScriptedModel(says("hi there")))
    ended = await run.turn()
    assert isinstance(ended.ending, Completed)
    assert run.stored == [("assistant", "hi there")]
    assert ended.usage.input == 10
    assert run.events[-1] is ended


async def test_tool_results_go_back_to_the_model_in_call_order() -> None:
    async def work(done: ToolCall) -> str:
        await asyncio.sleep(0.02 if done.id == "a" else 0)
        return f"result {done.id}"

    model = ScriptedModel(
        says("", call("work", identity="a"), call("work", identity="b")), says("ok")
    )
    run = Run(model, Tools(work, parallel=True))
    await run.turn()
    assert [m.content for m in model.requests[1].messages[-2:]] == ["result a", "result b"]
    finished = [e.result.call_id for e in run.events if isinstance(e, ToolFinished)]
    assert finished == ["b", "a"]


async def test_each_step_is_in_the_journal_before_the_next_begins() -> None:
    run = Run(ScriptedModel(says("", call("work")), says("ok")))
    await run.turn()
    assert run.journal.lines == [
        "assistant:",
        "started:c1",
        "finished:c1:ok",
        "tool:done",
        "assistant:ok",
    ]


async def test_the_system_text_and_earlier_messages_never_change_within_a_turn() -> None:
    model = ScriptedModel(says("", call("work")), says("", call("work")), says("ok"))
    await Run(model).turn()
    for before, after in zip(model.requests, model.requests[1:], strict=False):
        assert after.system == before.system
        assert after.tools == before.tools
        assert after.messages[: len(before.messages)] == before.messages


async def test_stopping_during_a_tool_leaves_every_call_answered() -> None:
    running = asyncio.Event()

    async def work(_: ToolCall) -> str:
        running.set()
        await asyncio.Event().wait()
        return "never"

    model = ScriptedModel(says("", call("work", identity="a"), call("work", identity="b")))
    run = Run(model, Tools(work))
    turn = asyncio.ensure_future(run.turn())
    await running.wait()
    run.control.stop()
    assert isinstance((await turn).ending, Interrupted)
    assert_valid(run.journal.messages)
    assert [m.content for m in run.journal.messages[1:]] == [
        "half done",
        "Not run: the turn ended before this call began.",
    ]


async def test_stopping_parallel_tools_stops_them_all() -> None:
    running: list[str] = []
    both = asyncio.Event()

    async def work(started: ToolCall) -> str:
        running.append(started.id)
        if len(running) == 2:
            both.set()
        await asyncio.Event().wait()
        return "never"

    model = ScriptedModel(says("", call("work", identity="a"), call("work", identity="b")))
    run = Run(model, Tools(work, parallel=True))
    turn = asyncio.ensure_future(run.turn())
    await both.wait()
    run.control.stop()
    assert isinstance((await turn).ending, Interrupted)
    assert [m.content for m in run.journal.messages[1:]] == ["half done", "half done"]


async def test_stopping_while_the_model_writes_keeps_what_was_seen() -> None:
    run = Run(ScriptedModel(says("half an answer", finish="interrupted")))
    turn = asyncio.ensure_future(run.turn())
    await run.model.stalled.wait()
    run.control.stop()
    assert isinstance((await turn).ending, Interrupted)
    assert run.stored == [("assistant", "halfananswer")]
    assert run.journal.messages[0].finish == "interrupted"


async def test_a_stop_before_the_turn_begins_asks_no_model() -> None:
    run = Run(ScriptedModel())
    run.control.stop()
    assert isinstance((await run.turn()).ending, Interrupted)
    assert run.model.requests == []


async def test_a_stop_at_any_instant_leaves_a_valid_history() -> None:
    for instant in range(40):
        run = Run(
            ScriptedModel(
                says("", call("work", identity="a"), call("work", identity="b")), says("ok")
            ),
            Tools(parallel=instant % 2 == 0),
        )
        turn = asyncio.ensure_future(run.turn())
        for _ in range(instant):
            await asyncio.sleep(0)
        run.control.stop()
        ended = await turn
        assert isinstance(ended.ending, Interrupted | Completed)
        assert_valid(run.journal.messages)


async def test_a_foreign_cancellation_is_not_swallowed() -> None:
    running = asyncio.Event()

    async def work(_: ToolCall) -> str:
        running.set()
        await asyncio.Event().wait()
        return "never"

    run = Run(ScriptedModel(says("", call("work"))), Tools(work))
    turn = asyncio.ensure_future(run.turn())
    await running.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert_valid(run.journal.messages)


async def test_what_is_said_meanwhile_reaches_the_model_with_the_next_call() -> None:
    run: Run

    async def work(_: ToolCall) -> str:
        run.control.steer("use the other file")
        return "done"

    run = Run(ScriptedModel(says("", call("work")), says("ok")), Tools(work))
    await run.turn()
    assert run.model.requests[1].messages[-1].content == "use the other file"
    assert Steered("use the other file") in run.events


async def test_what_is_said_during_the_last_answer_is_answered_too() -> None:
    run: Run

    async def steer() -> None:
        run.control.steer("and the date?")

    run = Run(ScriptedModel(steer, says("noon"), says("May")))
    ended = await run.turn()
    assert isinstance(ended.ending, Completed)
    assert ended.ending.message.content == "May"


async def test_a_spent_budget_asks_for_a_conclusion_without_tools() -> None:
    model = ScriptedModel(says("", call("work")), says("", call("work")), says("so far"))
    run = Run(model, max_iterations=2)
    ended = await run.turn()
    assert isinstance(ended.ending, BudgetSpent)
    assert ended.ending.message is not None
    assert ended.ending.message.content == "so far"
    assert model.requests[-1].tools == ()


async def test_calls_in_the_conclusion_are_answered_without_running() -> None:
    run = Run(ScriptedModel(says("", call("work")), says("", call("work"))), max_iterations=1)
    await run.turn()
    assert_valid(run.journal.messages)
    assert run.journal.lines.count("started:c1") == 1


async def test_a_cut_off_answer_is_continued_three_times_at_most() -> None:
    model = ScriptedModel(*[says(f"part{n}", finish="length") for n in range(4)])
    run = Run(model)
    ended = await run.turn()
    assert isinstance(ended.ending, Completed)
    assert [c for r, c in run.stored if r == "user"] == [CONTINUE] * 3


async def test_empty_answers_are_asked_again_and_then_fail() -> None:
    run = Run(ScriptedModel(says(""), says(" "), says("")))
    ended = await run.turn()
    assert isinstance(ended.ending, Failed)
    assert "empty" in ended.ending.message


async def test_a_model_error_ends_the_turn_with_its_hint() -> None:
    run = Run(ScriptedModel(RequestRefused("no such model", hint="hermes model")))
    ended = await run.turn()
    assert ended.ending == Failed("RequestRefused", "no such model", "hermes model")


async def test_repeated_and_missing_call_ids_are_made_unique() -> None:
    model = ScriptedModel(
        says("", call("work", identity="x"), call("work", identity="x"), call("work", identity="")),
        says("ok"),
    )
    run = Run(model)
    await run.turn()
    ids = [c.id for c in run.journal.messages[0].tool_calls]
    assert len(set(ids)) == 3
    assert all(ids)
    assert_valid(run.journal.messages)


async def test_what_the_loop_says_itself_is_no_persons_word() -> None:
    model = ScriptedModel(
        says("cut", finish="length"), says(""), says("", call("work")), says("so far")
    )
    run = Run(model, max_iterations=3)
    await run.turn()
    spoken = [m for m in run.journal.messages if m.role == "user"]
    assert len(spoken) == 3
    assert not any(said_by_person(message) for message in spoken)
    assert said_by_person(HELLO)
