"""The session store, reached off the event loop: its methods block."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hermes_agent.store.port import SessionStore

_T = TypeVar("_T")


class Shelf:
    """One thread that asks the store for all requests."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="api-store")

    async def ask(self, question: Callable[[SessionStore], _T]) -> _T:
        """What the store says. Raises what it raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, question, self._store)

    async def run(self, work: Callable[[], _T]) -> _T:
        """Other work that blocks, in the same thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Wait for what was asked."""
        self._thread.shutdown()
