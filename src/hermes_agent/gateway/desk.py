"""The ledger off the event loop."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from hermes_agent.domain.errors import StoreError
from hermes_agent.ledger.port import Ledger

MAX_PAUSE = 15.0

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Desk:
    """Calls of the ledger, one after another in the thread that all writers of the process share:
    they would wait for each other in the database anyway, and there they would wait longer."""

    def __init__(self, ledger: Ledger, thread: Executor) -> None:
        self._ledger = ledger
        self._thread = thread

    async def do(self, work: Callable[[Ledger], _T]) -> _T:
        """What `work` gives. A cancelled call is not undone, only the waiting ends."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._thread, work, self._ledger))

    async def insist(self, write: Callable[[Ledger], _T]) -> _T:
        """The same for the outcome of work that is done: it is written however long the database
        is held or the disk is full."""
        pause = 0.1
        while True:
            try:
                return await self.do(write)
            except StoreError as error:
                _log.warning("an outcome waits to be written: %s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_PAUSE)
