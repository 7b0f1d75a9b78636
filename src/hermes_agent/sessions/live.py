"""A session in hand: its row in the store, its history, its prompt, and the turns run in it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from hermes_agent.agent.budget import TurnBudget
from hermes_agent.agent.control import Control
from hermes_agent.agent.loop import Loop, Settings, said_by_person
from hermes_agent.context.compaction.groups import is_answer
from hermes_agent.domain.delegating import SOURCE as DELEGATE
from hermes_agent.domain.errors import NotFoundError
from hermes_agent.domain.events import Completed, Event, MessageDone, Notice, TurnEnded
from hermes_agent.domain.messages import Image, Message, Usage
from hermes_agent.domain.model import Effort
from hermes_agent.domain.ports import Emit, Fitted, Model, Toolbox
from hermes_agent.domain.spending import Purpose
from hermes_agent.sessions.compaction import Compactor, SessionCompaction
from hermes_agent.sessions.locks import SessionLocks
from hermes_agent.sessions.metering import Metered
from hermes_agent.sessions.treasury import Treasury
from hermes_agent.store.ids import new_session_id
from hermes_agent.store.journal import SessionJournal, StoreThread
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Failures, Session, SessionChange


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may change between two turns. `max_iterations` counts model calls. `overlay`
    stands behind the prompt and `before` before the history; both are sent and never stored."""

    max_iterations: int = 90
    effort: Effort | None = None
    temperature: float | None = None
    overlay: str = ""
    before: tuple[Message, ...] = ()


Standing = Literal["new", "begun", "answered", "steered"]
"""Of a turn: not stored yet; stored and not answered; answered; said into another turn, whose
answer is the answer to both."""


class LiveSession:
    """One session, one turn at a time.

    The row is made with the first message, so that looking around leaves no empty sessions.
    `system` is the prompt; a resumed session keeps the one that it was begun with. The session's
    lock, taken by whoever opened it, is given back by `close`. Without a `treasury` nobody counts
    what it costs.
    """

    def __init__(
        self,
        *,
        store: SessionStore,
        locks: SessionLocks,
        row: Session,
        stored: bool,
        system: str,
        model: Model,
        toolbox: Toolbox,
        choices: Choices,
        history: Sequence[Message] = (),
        thread: StoreThread | None = None,
        compactor: Compactor | None = None,
        on_child: Callable[[str, str], None] | None = None,
        budget: TurnBudget | None = None,
        treasury: Treasury | None = None,
    ) -> None:
        self.row: Session = row
        self.budget = budget or TurnBudget()
        self.model = model
        self.choices = choices
        self.toolbox = toolbox
        self.usage = Usage()
        self.last_input = _last_input(history)
        self.answered = False
        """Whether its latest turn came to an answer."""
        self._system = system
        self._store = store
        self._locks = locks
        self._stored = stored
        self._history = list(history)
        self._journal = SessionJournal(store, row.id, thread=thread)
        self._compactor = compactor
        self._on_child = on_child
        self._treasury = treasury
        self._held = [row.id]
        self._began: int | None = None

    @property
    def id(self) -> str:
        """The session's id."""
        return self.row.id

    @property
    def journal(self) -> SessionJournal:
        """Where its turns write, also after it went on in a child."""
        return self._journal

    @property
    def stored(self) -> bool:
        """Whether the store knows the session yet."""
        return self._stored

    @property
    def system(self) -> str:
        """The system prompt as it is sent."""
        return self._system

    @property
    def system_sent(self) -> str:
        """The same with what is laid over it just now."""
        overlay = self.choices.overlay
        return f"{self._system}\n\n{overlay}" if overlay else self._system

    @property
    def turn_began(self) -> int | None:
        """The message that began the turn on its way; None between turns."""
        return self._began

    @property
    def failures(self) -> Failures:
        """How often it could not be shortened."""
        return self._store.compaction_failures(self.id)

    @property
    def history(self) -> tuple[Message, ...]:
        """All messages, in order."""
        return tuple(self._history)

    def standing(self, turn: str) -> Standing:
        """How far the turn of this name came before: see `Standing`."""
        place = next((i for i, m in enumerate(self._history) if m.turn == turn), None)
        if place is None:
            return "answered" if self._answer_before(turn) else "new"
        for message in reversed(self._history[:place]):
            if is_answer(message) or (message.turn is None and said_by_person(message)):
                break
            if message.turn is not None:
                return "steered"
        answered = is_answer(self._history[-1])
        return "answered" if answered else "begun"

    async def run(
        self,
        text: str,
        control: Control,
        emit: Emit,
        images: tuple[Image, ...] = (),
        *,
        turn: str | None = None,
    ) -> TurnEnded:
        """Answer one message of the person's. Everything is stored as it finishes.

        A `turn` that was begun before a crash goes on where it stopped, and one that was answered
        already gives that answer without asking the model again.
        """
        self.answered = False
        standing = "new" if turn is None else self.standing(turn)
        if standing == "answered":
            return _answered_before(self._answer_before(turn or "") or self._history[-1], emit)
        if standing == "new":
            said = Message(
                role="user", content=text, images=images, timestamp=time.time(), turn=turn
            )
            if self._stored:
                said = await self._journal.append(said)
            else:
                self.row, said = await self._journal.begin(self.row, said)
                self._stored = True
            self._history.append(said)
        begun = next((m for m in self._history if turn is not None and m.turn == turn), None)
        self._began = (begun or self._history[-1]).id
        try:
            return await self._answer(control, emit)
        finally:
            self._began = None

    async def _answer(self, control: Control, emit: Emit) -> TurnEnded:
        settings = Settings(
            system=self.system_sent,
            max_iterations=self.choices.max_iterations,
            effort=self.choices.effort,
            temperature=self.choices.temperature,
            session_id=self.id,
        )
        loop = Loop(
            model=self.metered(self.model, "delegation" if self.row.source == DELEGATE else "turn"),
            toolbox=self.toolbox,
            journal=self._journal,
            settings=settings,
            compaction=self._compaction(self.choices.before),
            budget=self.budget,
        )

        def note(event: Event) -> None:
            if isinstance(event, MessageDone):
                self._history.append(event.message)
                if event.message.usage is not None:
                    self.last_input = event.message.usage.input
            emit(event)
            for text in self._treasury.news() if self._treasury is not None else ():
                emit(Notice(text))

        ended = await loop.run((*self.choices.before, *self._history), control, note)
        self.usage += ended.usage
        self.answered = isinstance(ended.ending, Completed)
        return ended

    async def compress(self, emit: Emit, focus: str = "") -> Fitted | None:
        """Shorten the conversation now; `focus` says what to keep above all. None when there is
        nothing to gain. What goes wrong is told, and changes nothing."""
        compaction = self._compaction() if self._stored else None
        self.budget.begin(0)
        fitted = None if compaction is None else await compaction.by_hand(emit, focus)
        if fitted is not None:
            self.usage += fitted.usage
        return fitted

    @property
    def shortens_at(self) -> int:
        """Tokens of a request from which on the conversation is shortened; 0 for never."""
        compaction = self._compaction()
        return 0 if compaction is None else compaction.limit

    async def succeed(self, kept: Sequence[Message]) -> None:
        """Go on in a child session with these messages: the one place where that happens. The
        store and this process's holders of the session change over together."""
        parent, child = self.row.id, new_session_id()
        self._locks.take(child)
        # Shielded: once begun it ends, so that the store and this session never differ.
        changing = asyncio.ensure_future(self._journal.succeed(child, kept))
        stopped: asyncio.CancelledError | None = None
        try:
            self.row, stored = await asyncio.shield(changing)
        except asyncio.CancelledError as error:
            stopped = error
            self.row, stored = await changing
        except BaseException:
            self._locks.release(child)
            raise
        self._held.append(child)
        began = (new.id for old, new in zip(kept, stored, strict=True) if old.id == self._began)
        self._began = next(began, None) if self._began is not None else None
        self._history = list(stored)
        self.last_input = 0
        if self._on_child is not None:
            self._on_child(parent, child)
        if stopped is not None:
            raise stopped

    async def spent(self, usage: Usage) -> None:
        """A sub-agent used this: it counts as this session's too."""
        self.budget.charge(usage)
        await self._journal.spent(usage)

    def metered(self, model: Model, purpose: Purpose) -> Model:
        """`model` paid for by this session: whoever asks one on its behalf asks it so."""
        if self._treasury is None:
            return model
        return Metered(
            model, self._treasury, session=lambda: self.id, purpose=purpose, budget=self.budget
        )

    async def compaction_failed(self, usage: Usage) -> None:
        """It could not be shortened, and that cost this."""
        await self._journal.compaction_failed(usage)

    def written(self, turn: str) -> tuple[Message, ...]:
        """What the model has written in this turn, also before the session went on in a child."""
        if any(message.summary for message in self._history):
            return self._store.written(turn)
        place = next((i for i, m in enumerate(self._history) if m.turn == turn), None)
        after = () if place is None else self._history[place + 1 :]
        return tuple(message for message in after if message.role == "assistant")

    def _answer_before(self, turn: str) -> Message | None:
        """The answer to a turn that a summary stands for."""
        if any(message.turn == turn for message in self._history):
            return None
        if not any(message.summary for message in self._history):
            return None
        return next((message for message in self._store.written(turn) if is_answer(message)), None)

    def _compaction(self, before: Sequence[Message] = ()) -> SessionCompaction | None:
        if self._compactor is None:
            return None
        return SessionCompaction(self, self._compactor, said_by_person, before)

    def rewind(self) -> Message | None:
        """Take back the person's last message and all that came of it; returns that message.

        What a summary stands for is not taken back."""
        last = None
        for message in reversed(self._history):
            if message.summary:
                break
            if said_by_person(message):
                last = message
                break
        if last is None or last.id is None:
            return None
        self._store.rewind(self.id, last.id)
        self._history = list(self._store.history(self.id))
        return last

    def rename(self, title: str) -> str | None:
        """Set the title; returns it cleaned. Raises `NotFoundError` before the first message."""
        if not self._stored:
            raise NotFoundError("The session has no messages yet, so it has no title either.")
        return self._store.rename(self.id, title)

    def change_prompt(self, system: str) -> None:
        """Another prompt from the next turn on (a personality was chosen)."""
        self._system = system
        self.row = msgspec.structs.replace(self.row, system_prompt=system)
        if self._stored:
            self._store.update(self.id, SessionChange(system_prompt=system))

    def change_model(self, model: Model) -> None:
        """Another model from the next turn on."""
        self.model = model
        self.row = msgspec.structs.replace(self.row, model=model.name)
        if self._stored:
            self._store.update(self.id, SessionChange(model=model.name))

    def end(self, reason: str) -> None:
        """The person left; a resumed session takes this back."""
        if self._stored:
            self._store.end(self.id, reason)

    def close(self) -> None:
        """Nothing more will be written."""
        self._journal.close()
        for held in self._held:
            self._locks.release(held)


def _last_input(history: Sequence[Message]) -> int:
    """What the vendor counted for the last request, if it is known."""
    answers = (m for m in reversed(history) if m.role == "assistant")
    return next((m.usage.input for m in answers if m.usage), 0)


def _answered_before(message: Message, emit: Emit) -> TurnEnded:
    ended = TurnEnded(ending=Completed(message=message), usage=Usage(), iterations=0, duration=0.0)
    emit(ended)
    return ended
