"""The loop: call the model, run its tool calls, again, until it stops or is stopped.

Every message is in the journal before the next step begins, so what a person saw is what is
stored. The loop tells what happens through `emit`, a plain function: nothing but the model, a
tool and the journal is ever awaited, so a cancellation always lands in one of these three.
"""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from hermes_agent.agent.answer import Answer
from hermes_agent.agent.budget import TurnBudget
from hermes_agent.agent.calls import Stopped, not_run, run_calls, with_unique_ids
from hermes_agent.agent.control import Control, Said
from hermes_agent.domain.errors import BadResponse, ContextOverflow, ModelError
from hermes_agent.domain.events import (
    BudgetSpent,
    Completed,
    Ending,
    Failed,
    Interrupted,
    MessageDone,
    Notice,
    Steered,
    TurnEnded,
)
from hermes_agent.domain.messages import Message, ToolCall, ToolResult, Usage
from hermes_agent.domain.model import Effort, Request, ToolSpec
from hermes_agent.domain.ports import Compaction, Emit, Journal, Model, Toolbox

CONTINUE = "Your answer was cut off by its length limit. Go on exactly where it stopped."
CONCLUDE = (
    "The limit of {limit} model calls for this task is reached and no more tools can be run. "
    "Say briefly what is done, what is not, and what comes next."
)
AGAIN = "Your last answer was empty. Answer now, or call a tool."
CONCLUDE_START = CONCLUDE.partition("{")[0]
MAX_CONTINUATIONS = 3
MAX_EMPTY = 2


def said_by_person(message: Message) -> bool:
    """Whether a user message is a person's, and not one that the loop itself put in."""
    own = message.content in (CONTINUE, AGAIN) or message.content.startswith(CONCLUDE_START)
    return message.role == "user" and not own and not message.summary


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What stays the same over a turn. `max_iterations` counts model calls."""

    system: str
    max_iterations: int = 90
    effort: Effort | None = None
    temperature: float | None = None
    session_id: str | None = None


class Loop:
    """Runs turns of one session. `budget` is what sub-agents use up as well."""

    def __init__(
        self,
        *,
        model: Model,
        toolbox: Toolbox,
        journal: Journal,
        settings: Settings,
        compaction: Compaction | None = None,
        budget: TurnBudget | None = None,
    ) -> None:
        self._compaction = compaction
        self._budget = budget or TurnBudget()
        self._model = model
        self._toolbox = toolbox
        self._journal = journal
        self._settings = settings

    async def run(self, history: Sequence[Message], control: Control, emit: Emit) -> TurnEnded:
        """Answer the last message of `history`, which is stored already and valid."""
        turn = _Turn(list(history), control, self._settings.session_id)
        began = time.monotonic()
        self._budget.begin(self._settings.max_iterations)
        control.attach()
        try:
            ending = await self._steps(turn, emit)
        except asyncio.CancelledError:
            if not control.absorb():
                raise
            await self._keep_torn(turn, emit)
            ending = Interrupted()
        except ModelError as error:
            await self._keep_torn(turn, emit)
            ending = Failed(error=type(error).__name__, message=error.message, hint=error.hint)
        finally:
            control.detach()
        ended = TurnEnded(
            ending=ending,
            usage=turn.usage + self._budget.collect(),
            iterations=turn.iterations,
            duration=time.monotonic() - began,
        )
        emit(ended)
        return ended

    async def _steps(self, turn: "_Turn", emit: Emit) -> Ending:
        control = turn.control
        specs = self._toolbox.specs()
        continuations = empty = 0
        while self._budget.take():
            await self._hear(turn, emit)
            if control.stopping:
                return Interrupted()
            message = await self._ask(turn, specs, emit)
            if message.tool_calls:
                await self._run_calls(turn, message.tool_calls, emit)
            elif message.finish == "length" and continuations < MAX_CONTINUATIONS:
                continuations += 1
                await self._say(turn, CONTINUE, emit)
            elif not message.content.strip():
                empty += 1
                if empty > MAX_EMPTY:
                    raise BadResponse(
                        f"{self._model.name} gave an empty answer {empty} times.",
                        hint="Try again, or choose another model with: hermes model",
                    )
                emit(Notice("The model's answer was empty; asking again."))
                await self._say(turn, AGAIN, emit)
            elif (said := control.take()) is not None:
                await self._steer(turn, said, emit)
            else:
                return Completed(message=message)
        return await self._conclude(turn, emit)

    async def _run_calls(self, turn: "_Turn", calls: Sequence[ToolCall], emit: Emit) -> None:
        try:
            if turn.control.stopping:
                raise Stopped(not_run(calls))
            results = await run_calls(calls, self._toolbox, self._journal, emit)
        except Stopped as stopped:
            ours = turn.control.absorb() or turn.control.stopping
            await self._store_results(turn, stopped.results, emit)
            if not ours:
                raise asyncio.CancelledError from stopped
            return
        await self._store_results(turn, results, emit)

    async def _ask(self, turn: "_Turn", specs: tuple[ToolSpec, ...], emit: Emit) -> Message:
        turn.iterations += 1
        await self._fit(turn, emit)
        try:
            message = await self._answer(turn, specs, emit)
        except ContextOverflow as overflow:
            turn.answer = None
            if not await self._fit(turn, emit, overflow):
                raise
            message = await self._answer(turn, specs, emit)
        turn.answer = None
        if message.usage is not None:
            turn.usage += message.usage
        return await self._store(turn, message, emit)

    async def _answer(self, turn: "_Turn", specs: tuple[ToolSpec, ...], emit: Emit) -> Message:
        settings = self._settings
        turn.answer = Answer()
        request = Request(
            system=settings.system,
            messages=tuple(turn.messages),
            tools=specs,
            effort=settings.effort,
            temperature=settings.temperature,
            session_id=turn.session_id,
        )
        return with_unique_ids(await turn.answer.stream(self._model, request, emit))

    async def _fit(
        self, turn: "_Turn", emit: Emit, overflow: ContextOverflow | None = None
    ) -> bool:
        """Whether the conversation got shorter."""
        if self._compaction is None:
            return False
        fitted = await self._compaction.fit(turn.messages, emit, overflow)
        if fitted is None:
            return False
        turn.messages = list(fitted.messages)
        turn.session_id = fitted.session_id
        turn.usage += fitted.usage
        return fitted.changed

    async def _conclude(self, turn: "_Turn", emit: Emit) -> Ending:
        limit = self._budget.reached
        await self._say(turn, CONCLUDE.format(limit=limit), emit)
        message = await self._ask(turn, (), emit)
        if message.tool_calls:
            # Without tools on offer some models call one all the same; the history stays valid.
            await self._store_results(turn, not_run(message.tool_calls), emit)
        return BudgetSpent(limit=limit, message=message)

    async def _hear(self, turn: "_Turn", emit: Emit) -> None:
        while (said := turn.control.take()) is not None:
            await self._steer(turn, said, emit)

    async def _steer(self, turn: "_Turn", said: Said, emit: Emit) -> None:
        await self._say(turn, said.text, emit, said.turn)
        emit(Steered(text=said.text, turn=said.turn))

    async def _say(self, turn: "_Turn", text: str, emit: Emit, named: str | None = None) -> None:
        message = Message(role="user", content=text, timestamp=time.time(), turn=named)
        await self._store(turn, message, emit)

    async def _store_results(
        self, turn: "_Turn", results: Sequence[ToolResult], emit: Emit
    ) -> None:
        for result in results:
            message = Message(
                role="tool",
                content=result.content,
                images=result.images,
                tool_call_id=result.call_id,
                tool_name=result.name,
                timestamp=time.time(),
            )
            await self._store(turn, message, emit)

    async def _store(self, turn: "_Turn", message: Message, emit: Emit) -> Message:
        # Shielded: once begun, a write ends, so that the journal and the turn never differ.
        # A stop that lands here is seen after the step, when `stopping` is looked at.
        writing = asyncio.ensure_future(self._journal.append(message))
        try:
            stored = await asyncio.shield(writing)
        except asyncio.CancelledError:
            stored = await writing
            if not turn.control.absorb():
                turn.messages.append(stored)
                raise
        turn.messages.append(stored)
        emit(MessageDone(message=stored))
        return stored

    async def _keep_torn(self, turn: "_Turn", emit: Emit) -> None:
        if turn.answer is None:
            return
        torn = turn.answer.torn(self._model.name, time.time())
        turn.answer = None
        if torn is not None:
            await self._store(turn, torn, emit)


class _Turn:
    """What one turn has gathered so far."""

    def __init__(self, messages: list[Message], control: Control, session_id: str | None) -> None:
        self.messages = messages
        self.session_id = session_id
        self.control = control
        self.usage = Usage()
        self.iterations = 0
        self.answer: Answer | None = None
