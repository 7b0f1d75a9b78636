"""Work in order within a lane, with the lanes side by side."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

Work = Callable[[], Awaitable[None]]
_log = logging.getLogger(__name__)


class Lanes:
    """A lane has a task while it has work, and nothing otherwise."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[Work]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0

    def __len__(self) -> int:
        """How much work is not done yet."""
        return self._count

    def put(self, lane: Hashable, work: Work) -> None:
        """Do this after what the lane has already."""
        self._count += 1
        waiting = self._waiting.get(lane)
        if waiting is not None:
            waiting.append(work)
            return
        self._waiting[lane] = deque([work])
        task = asyncio.create_task(self._run(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop; what is not done is left."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, lane: Hashable) -> None:
        waiting = self._waiting[lane]
        while waiting:
            try:
                await waiting[0]()
            except Exception:  # noqa: BLE001  the root of a task: logged, and the lane goes on
                _log.exception("a message could not be handled")
            waiting.popleft()
            self._count -= 1
        del self._waiting[lane]
