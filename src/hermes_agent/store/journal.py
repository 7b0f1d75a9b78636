"""A turn's way into the store, off the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from hermes_agent.domain.errors import StoreError
from hermes_agent.domain.messages import Message, ToolCall, ToolResult, Usage
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Session

MOST_TOGETHER = 32

_T = TypeVar("_T")


class StoreThread(ThreadPoolExecutor):
    """One thread for all journals of a store: writes take turns anyway.

    What journals hand over while it is busy is stored in one transaction, so that a crowd of
    turns costs one commit, not one each. Other work that is submitted runs by itself.
    """

    def __init__(self) -> None:
        super().__init__(1, thread_name_prefix="store")
        self._waiting: deque[_Write] = deque()
        self._summoned = False

    def write(self, store: SessionStore, work: Callable[[], _T]) -> "asyncio.Future[_T]":
        """What `work` gives, once it is stored. It may be done twice: anew and by itself when
        the transaction that it shared could not be committed."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_T] = loop.create_future()
        self._waiting.append(_Write(store, work, loop, done))
        if not self._summon():
            self._waiting.pop()
            raise RuntimeError("the store's thread takes nothing more after its shutdown")
        return done

    def _summon(self) -> bool:
        """Have somebody come for what waits, unless somebody will. False after the shutdown."""
        if self._summoned:
            return True
        self._summoned = True
        try:
            self.submit(self._store)
        except RuntimeError:
            self._summoned = False
            return False
        return True

    def _store(self) -> None:
        # Before the first look: who comes after the last one calls again.
        self._summoned = False
        more = True
        while more:
            most = min(len(self._waiting), MOST_TOGETHER)
            writes = [self._waiting.popleft() for _ in range(most)]
            for _, group in groupby(writes, lambda write: id(write.store)):
                _tell(_stored(list(group)))
            # Behind the other work that was submitted meanwhile, so that a crowd keeps none off.
            more = bool(self._waiting) and not self._summon()


def store_thread() -> StoreThread:
    """A thread that has not started yet."""
    return StoreThread()


class SessionJournal:
    """The port `Journal` for one session.

    Calls run one after another in one thread, so a database that another process holds never
    stops the event loop. A cancelled call is not undone: what was handed over is stored, in
    order, and only the waiting ends. Give `thread` where many journals share a store.
    """

    def __init__(
        self, store: SessionStore, session_id: str, *, thread: StoreThread | None = None
    ) -> None:
        self._store = store
        self._session_id = session_id
        self._thread = store_thread() if thread is None else thread
        self._is_own = thread is None

    async def begin(self, session: Session, message: Message) -> tuple[Session, Message]:
        """Store the session itself with its first message, both or neither."""

        def write() -> tuple[Session, Message]:
            with self._store.together():
                return self._store.create(session), self._store.append(session.id, message)

        return await self._thread.write(self._store, write)

    async def append(self, message: Message) -> Message:
        return await self._call(lambda: self._store.append(self._session_id, message))

    async def call_started(self, call: ToolCall) -> None:
        await self._call(lambda: self._store.call_started(self._session_id, call))

    async def call_finished(self, result: ToolResult) -> None:
        await self._call(lambda: self._store.call_finished(self._session_id, result))

    async def succeed(
        self, child_id: str, kept: Sequence[Message]
    ) -> tuple[Session, tuple[Message, ...]]:
        """Go on in a child session; see `SessionStore.succeed`. From here on this journal writes
        there."""
        done = await self._call(lambda: self._store.succeed(self._session_id, child_id, kept))
        self._session_id = child_id
        return done

    async def spent(self, usage: Usage) -> None:
        """This was used, and no message of the session says so."""
        await self._call(lambda: self._store.spent(self._session_id, usage))

    async def compaction_failed(self, usage: Usage) -> None:
        """No summary could be had, and this is what the attempt cost."""

        def write() -> None:
            with self._store.together():
                self._store.spent(self._session_id, usage)
                self._store.compaction_failed(self._session_id)

        await self._call(write)

    async def _call(self, write: Callable[[], _T]) -> _T:
        return await self._thread.write(self._store, write)

    def close(self) -> None:
        """Wait for what was handed over. A shared thread goes on."""
        if self._is_own:
            self._thread.shutdown()


class _Write(NamedTuple):
    store: SessionStore
    work: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[Any]"


class _Outcome(NamedTuple):
    write: _Write
    value: Any = None
    error: BaseException | None = None


def _stored(writes: Sequence[_Write]) -> list[_Outcome]:
    if len(writes) > 1:
        # Begun or committed in vain, nothing of it is stored; one by one some may get through.
        with suppress(StoreError), writes[0].store.together():
            return [_outcome(write) for write in writes]
    return [_outcome(write) for write in writes]


def _outcome(write: _Write) -> _Outcome:
    try:
        return _Outcome(write, write.work())
    except BaseException as error:  # noqa: BLE001 - it is for whoever waits for the outcome
        return _Outcome(write, error=error)


def _tell(outcomes: Sequence[_Outcome]) -> None:
    """To each event loop at once: waking it for every single one costs more than the writing."""
    for loop in {outcome.write.loop for outcome in outcomes}:
        told = [outcome for outcome in outcomes if outcome.write.loop is loop]
        with suppress(RuntimeError):  # a loop that is closed waits for nothing
            loop.call_soon_threadsafe(_settle, told)


def _settle(outcomes: Sequence[_Outcome]) -> None:
    for write, value, error in outcomes:
        if write.done.done():
            continue  # nobody waits any more
        if error is None:
            write.done.set_result(value)
        else:
            write.done.set_exception(error)
