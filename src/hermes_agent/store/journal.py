"""A turn's way into the store, off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

from hermes_agent.domain.messages import Message, ToolCall, ToolResult
from hermes_agent.store.port import Session, SessionStore

_T = TypeVar("_T")


def store_thread() -> Executor:
    """One thread for all journals of a store: writes take turns anyway."""
    return ThreadPoolExecutor(1, thread_name_prefix="store")


class SessionJournal:
    """The port `Journal` for one session.

    Calls run one after another in one thread, so a database that another process holds never
    stops the event loop. A cancelled call is not undone: what was handed over is stored, in
    order, and only the waiting ends. Give `thread` where many journals share a store.
    """

    def __init__(
        self, store: SessionStore, session_id: str, *, thread: Executor | None = None
    ) -> None:
        self._store = store
        self._session_id = session_id
        self._own_thread = store_thread() if thread is None else None
        self._thread = thread or self._own_thread

    async def create(self, session: Session) -> Session:
        """Store the session itself, before its first message."""
        return await self._call(lambda: self._store.create(session))

    async def append(self, message: Message) -> Message:
        return await self._call(lambda: self._store.append(self._session_id, message))

    async def call_started(self, call: ToolCall) -> None:
        await self._call(lambda: self._store.call_started(self._session_id, call))

    async def call_finished(self, result: ToolResult) -> None:
        await self._call(lambda: self._store.call_finished(self._session_id, result))

    async def _call(self, write: Callable[[], _T]) -> _T:
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._thread, write))

    def close(self) -> None:
        """Wait for what was handed over. A shared thread goes on."""
        if self._own_thread is not None:
            self._own_thread.shutdown()
