"""When the loop has a conversation shortened, and what it does then."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from hermes_agent.agent.control import Control
from hermes_agent.agent.loop import Loop, Settings
from hermes_agent.domain.errors import ContextOverflow
from hermes_agent.domain.events import Completed, Event, Failed, Interrupted
from hermes_agent.domain.messages import Message, Usage
from hermes_agent.domain.ports import Emit, Fitted
from tests.unit.agent.parts import MemoryJournal, ScriptedModel, Tools, call, says

HELLO = Message(role="user", content="hello")
NOTES = Message(role="user", content="notes", summary=True)
Work = Callable[[Sequence[Message]], Awaitable[Fitted | None]]


class Shortening:
    """Shortens when `work` says so; `asked` has the length and whether a request overflowed."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.asked: list[tuple[int, bool]] = []

    async def fit(
        self, messages: Sequence[Message], emit: Emit, overflow: ContextOverflow | None = None
    ) -> Fitted | None:
        self.asked.append((len(messages), overflow is not None))
        return await self._work(messages)


async def never(messages: Sequence[Message]) -> Fitted | None:
    return None


async def always(messages: Sequence[Message]) -> Fitted | None:
    kept = (NOTES, messages[-1]) if messages[-1].role == "user" else (NOTES, *messages[-2:])
    return Fitted(messages=kept, session_id="child", changed=True, usage=Usage(input=3))


async def failing(messages: Sequence[Message]) -> Fitted | None:
    return Fitted(messages=tuple(messages), session_id="s", changed=False, usage=Usage(input=5))


async def run(
    model: ScriptedModel, shortening: Shortening, control: Control | None = None
) -> tuple[object, Usage, list[Event]]:
    events: list[Event] = []
    loop = Loop(
        model=model,
        toolbox=Tools(),
        journal=MemoryJournal(),
        settings=Settings(system="be good", session_id="s"),
        compaction=shortening,
    )
    async with asyncio.timeout(10):
        ended = await loop.run([HELLO], control or Control(), events.append)
    return ended.ending, ended.usage, events


async def test_the_length_is_looked_at_before_every_model_call() -> None:
    shortening = Shortening(never)
    model = ScriptedModel(says("", call("work")), says("done"))
    await run(model, shortening)
    assert shortening.asked == [(1, False), (3, False)]
    assert [len(request.messages) for request in model.requests] == [1, 3]


async def test_the_turn_goes_on_with_what_was_kept_and_in_the_session_that_has_it() -> None:
    model = ScriptedModel(says("", call("work")), says("done"))
    ending, usage, _ = await run(model, Shortening(always))
    assert isinstance(ending, Completed)
    assert [[m.role for m in request.messages] for request in model.requests] == [
        ["user", "user"],
        ["user", "assistant", "tool"],
    ]
    assert {request.session_id for request in model.requests} == {"child"}
    assert {request.system for request in model.requests} == {"be good"}
    assert usage.input == 2 * 10 + 2 * 3


async def test_a_request_that_was_too_long_is_sent_again_shortened() -> None:
    seen = Shortening(never)

    async def on_overflow(messages: Sequence[Message]) -> Fitted | None:
        return await always(messages) if seen.asked[-1][1] else None

    seen = Shortening(on_overflow)
    model = ScriptedModel(ContextOverflow("too long"), says("fits"))
    ending, _, _ = await run(model, seen)
    assert isinstance(ending, Completed)
    assert seen.asked == [(1, False), (1, True)]
    assert model.requests[1].messages[0] == NOTES


async def test_it_is_sent_again_once_only() -> None:
    model = ScriptedModel(ContextOverflow("too long"), ContextOverflow("still too long"))
    ending, _, _ = await run(model, Shortening(always))
    assert isinstance(ending, Failed)
    assert ending.message == "still too long"
    assert len(model.requests) == 2


async def test_what_could_not_be_shortened_is_not_sent_again() -> None:
    model = ScriptedModel(ContextOverflow("too long"))
    ending, usage, _ = await run(model, Shortening(failing))
    assert isinstance(ending, Failed)
    assert usage.input == 10
    assert len(model.requests) == 1


async def test_a_stop_while_it_is_shortened_ends_the_turn_with_everything_kept() -> None:
    control = Control()

    async def stopped(messages: Sequence[Message]) -> Fitted | None:
        asyncio.get_running_loop().call_soon(control.stop)
        await asyncio.Event().wait()
        return None

    model = ScriptedModel(says("never asked"))
    ending, _, _ = await run(model, Shortening(stopped), control)
    assert isinstance(ending, Interrupted)
    assert model.requests == []
