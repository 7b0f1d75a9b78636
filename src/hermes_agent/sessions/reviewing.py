"""Looking a conversation through for what is worth noting, after it was answered.

One model call as a rule, over what the person said (`knowledge/reviewing`). What goes wrong is a
line in the log: the conversation knows nothing of all this.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Literal, TypeVar, cast

import msgspec

from hermes_agent.agent.loop import said_by_person
from hermes_agent.domain.errors import BadResponse, DeniedError, HermesError, ModelError, UsageError
from hermes_agent.domain.messages import Message, ToolCall, Usage
from hermes_agent.domain.model import CallDelta, Delta, Finished, ReasoningDelta, Request, TextDelta
from hermes_agent.domain.ports import Model
from hermes_agent.knowledge.memory import MemoryFiles, Target
from hermes_agent.knowledge.reviewing import (
    LONGEST_ENTRY,
    MOST_CHANGES,
    instructions,
    request,
    spoken,
)
from hermes_agent.sessions.metering import Metered
from hermes_agent.sessions.treasury import Treasury
from hermes_agent.store.port import SessionStore

MOST_CALLS = 3
MOST_TOKENS = 1_000
MOST_CHARS = 40_000
"""Of an answer, thinking included: more is a flood."""
LONGEST = 3.0
"""A whole review may take this many times the longest silence."""
LOCK = ".review.lock"

Action = Literal["add", "replace", "remove"]
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Change(msgspec.Struct, frozen=True):
    """One change of the notes; `text` is the entry, or the part that named the one removed."""

    action: Action
    target: Target
    text: str


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `usage` sums the model calls."""

    changes: tuple[Change, ...] = ()
    calls: int = 0
    usage: Usage = Usage()


class Reviewer:
    """What all sessions of a process share.

    `chosen` gives the model to ask for a session whose own is the argument; None asks nobody.
    `interval` and `flush` count turns that were not looked at: how many there must be after an
    answer, and at the end of a conversation or when it was shortened; 0 for never. `timeout` is
    the longest silence in seconds, `redact` blanks secrets.
    """

    def __init__(
        self,
        files: MemoryFiles,
        store: SessionStore,
        *,
        thread: Executor,
        chosen: Callable[[Model], Awaitable[Model | None]],
        redact: Callable[[str], str],
        interval: int,
        flush: int,
        timeout: float,
        treasury: Treasury | None = None,
    ) -> None:
        self._files = files
        self._store = store
        self._thread = thread
        self._chosen = chosen
        self._redact = redact
        self._interval = interval
        self._flush = flush
        self._timeout = timeout
        self._treasury = treasury
        self._turn = asyncio.Lock()
        self._tried: dict[str, int] = {}

    async def due(self, session_id: str, *, ended: bool) -> bool:
        """Whether there is enough to look at. Raises `StoreError`."""
        count = len(await self._unseen(session_id))
        if ended:
            return 0 < self._flush <= count
        return 0 < self._interval <= count - self._tried.get(session_id, 0)

    async def can_ask(self, own: Model) -> bool:
        """Whether there is a model for it. Raises `NoModelError`, `ConfigError`."""
        return await self._chosen(own) is not None

    async def look(self, session_id: str, own: Model) -> Review | None:
        """Look through what was not looked at. None where nobody could be asked; the same is
        tried again `interval` turns later. Raises `HermesError`."""
        async with self._turn, self._alone() as alone:
            if not alone:
                return None
            unseen = await self._unseen(session_id)
            said = spoken([message.content for message in unseen])
            review = Review()
            if said:
                model = await self._chosen(own)
                if model is None:
                    return None
                notes = await asyncio.to_thread(self._files.snapshot)
                self._tried[session_id] = len(unseen)
                asked = Message(role="user", content=self._redact(request(notes, said)))
                looking = _Looking(self, session_id, model, asked)
                try:
                    async with asyncio.timeout(self._timeout * LONGEST):
                        review = await looking.run()
                except TimeoutError as error:
                    raise HermesError(f"{model.name} took too long") from error
            self._tried.pop(session_id, None)
            if unseen:
                await self._do(lambda: self._store.reviewed(session_id, unseen[-1].id or 0))
            return review

    async def ask(self, session_id: str, model: Model, messages: tuple[Message, ...]) -> Message:
        """One call, counted. Raises `ModelError`, `TimeoutError`, `StoreError`."""
        from hermes_agent.tools.schema import load

        sent = Request(
            system=instructions(),
            messages=messages,
            tools=(load("memory"),),
            max_tokens=MOST_TOKENS,
        )
        # Closed here and now: a generator left to the collector keeps its connection open.
        paid = self._metered(session_id, model)
        stream = cast("AsyncGenerator[Delta, None]", paid.stream(sent))
        loop, size = asyncio.get_running_loop(), 0
        async with aclosing(stream), asyncio.timeout(self._timeout) as limit:
            async for delta in stream:
                limit.reschedule(loop.time() + self._timeout)
                match delta:
                    case Finished(message=message):
                        await self._count(session_id, message.usage or Usage())
                        return message
                    case TextDelta(text=text) | ReasoningDelta(text=text):
                        size += len(text)
                    case CallDelta(arguments=arguments):
                        size += len(arguments)
                    case _:
                        pass
                if size > MOST_CHARS:
                    raise BadResponse(f"{model.name} did not stop writing.")
        raise BadResponse(f"{model.name} ended without finishing its answer.")

    def _metered(self, session_id: str, model: Model) -> Model:
        if self._treasury is None:
            return model
        return Metered(model, self._treasury, session=lambda: session_id, purpose="review")

    async def _count(self, session_id: str, usage: Usage) -> None:
        await self._do(lambda: self._store.review_asked(session_id, usage))

    async def change(self, change: Change, old_text: str) -> bool:
        """Whether the notes are others now. Raises as `MemoryFiles`, `OSError`."""
        if change.target not in self._files.targets:
            raise DeniedError("These notes are turned off.")
        if len(change.text) > LONGEST_ENTRY:
            raise UsageError(f"An entry has at most {LONGEST_ENTRY} characters.")
        if self._redact(change.text) != change.text:
            raise DeniedError("It holds a secret.")
        return await asyncio.to_thread(self._changed, change, old_text)

    def _changed(self, change: Change, old_text: str) -> bool:
        files, target = self._files, change.target
        before = files.read(target).entries
        if change.action == "add":
            after = files.add(target, change.text)
        elif change.action == "replace":
            after = files.replace(target, old_text, change.text)
        else:
            after = files.remove(target, old_text)
        return after.entries != before

    async def _unseen(self, session_id: str) -> list[Message]:
        found = await self._do(lambda: self._store.unreviewed(session_id))
        return [message for message in found if said_by_person(message)]

    async def _do(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    @asynccontextmanager
    async def _alone(self) -> AsyncGenerator[bool]:
        """Whether no other process of this home looks just now; none may until the end."""
        from filelock import FileLock, Timeout

        folder: Path = self._files.folder
        try:
            await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(folder / LOCK)
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        except OSError as error:
            raise HermesError(f"{folder / LOCK} cannot be used: {error.strerror}") from error
        try:
            yield True
        finally:
            lock.release()


class _Looking:
    """One review on its way."""

    def __init__(self, reviewer: Reviewer, session_id: str, model: Model, asked: Message) -> None:
        self._reviewer = reviewer
        self._session_id = session_id
        self._model = model
        self._messages: tuple[Message, ...] = (asked,)
        self._changes: list[Change] = []

    async def run(self) -> Review:
        usage = Usage()
        calls = 0
        while calls < MOST_CALLS:
            try:
                answer = await self._reviewer.ask(self._session_id, self._model, self._messages)
            except ModelError as error:
                if not self._changes:
                    raise
                _log.warning("session %s: %s", self._session_id, error.message)
                break
            calls += 1
            usage += answer.usage or Usage()
            results = [await self._obey(call) for call in answer.tool_calls]
            # Only what could be done better is worth another call.
            if not any(again for _, again in results):
                break
            self._messages = (*self._messages, answer, *(message for message, _ in results))
        return Review(changes=tuple(self._changes), calls=calls, usage=usage)

    async def _obey(self, call: ToolCall) -> tuple[Message, bool]:
        """The result, and whether it is worth another try."""
        said, again = "done", False
        try:
            if len(self._changes) >= MOST_CHANGES:
                raise DeniedError(f"There may be {MOST_CHANGES} changes at once.")
            change = await self._made(call)
            if change is not None:
                self._changes.append(change)
        except DeniedError as error:
            said = error.message
        except UsageError as error:
            said, again = f"{error.message} {error.hint or ''}".strip(), True
        message = Message(role="tool", content=said, tool_call_id=call.id, tool_name=call.name)
        return message, again

    async def _made(self, call: ToolCall) -> Change | None:
        """None where all was as wanted already. Raises `UsageError`, `DeniedError`; `HermesError`
        where the notes cannot be used."""
        from hermes_agent.tools.arguments import ArgumentFault, Shape, parse, validate
        from hermes_agent.tools.schema import load

        spec = load("memory")
        if call.name != spec.name:
            raise UsageError(f"There is only {spec.name}.")
        try:
            shape = msgspec.json.decode(spec.parameters, type=Shape)
            arguments, _ = validate(parse(call.arguments), shape)
        except ArgumentFault as error:
            raise UsageError(error.message, hint=error.hint) from error
        action = cast("Action", arguments["action"])
        content = str(arguments.get("content") or "").strip()
        old_text = str(arguments.get("old_text") or "").strip()
        text = old_text if action == "remove" else content
        change = Change(action, cast("Target", arguments["target"]), text)
        try:
            made = await self._reviewer.change(change, old_text)
        except OSError as error:
            raise HermesError(f"The notes cannot be written: {error.strerror}") from error
        return change if made else None


def told(review: Review) -> str:
    """What was noted, in a line; empty where nothing was."""
    words: dict[Action, str] = {"add": "noted", "replace": "note changed", "remove": "forgotten"}
    parts = [f"{words[each.action]}: {' '.join(each.text.split())}" for each in review.changes]
    return "; ".join(parts)
