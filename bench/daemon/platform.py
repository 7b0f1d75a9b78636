"""A chat platform that lives in the gateway's process and costs next to nothing."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.domain.chats import Inbound, Origin, Post, Target
from hermes_agent.platforms.base import Door, PlatformDown


class BenchPlatform:
    """The port `Platform`. `answers` counts the messages that each chat was sent."""

    name = "telegram"

    def __init__(self) -> None:
        self.capabilities = Capabilities(edits=True, edit_interval=0.5, typing=True)
        self.answers: Counter[str] = Counter()
        self.connections = 0
        self._door: Door | None = None
        self._lost = asyncio.Event()
        self._changed = asyncio.Event()
        self._numbers = itertools.count(1)

    async def run(self, door: Door, ready: Callable[[], None]) -> None:
        self._door = door
        self.connections += 1
        self._lost.clear()
        ready()
        self._changed.set()
        try:
            await self._lost.wait()
        finally:
            self._door = None
        raise PlatformDown("The connection was lost.", retry_after=0.01)

    def lose(self) -> None:
        """The connection breaks."""
        self._lost.set()

    async def send(self, target: Target, post: Post, key: str) -> str:
        self.answers[target.chat_id] += 1
        self._changed.set()
        return str(next(self._numbers))

    async def edit(self, target: Target, message_id: str, post: Post) -> None: ...

    async def typing(self, target: Target) -> None: ...

    async def react(self, target: Target, message_id: str, emoji: str) -> None: ...

    async def close(self) -> None: ...

    async def say(self, chat: str, text: str) -> float:
        """Somebody writes, as an adapter hands it in; when `accept` was called (monotonic)."""
        await self.until(lambda: self._door is not None)
        door = self._door
        assert door is not None
        number = str(next(self._numbers))
        origin = Origin(platform=self.name, chat_id=chat, user_id=chat)
        began = time.monotonic()
        if not await door.admits(origin, addressed=True):
            raise RuntimeError("The door is closed.")
        await door.accept(Inbound(key=number, origin=origin, text=text, message_id=number))
        return began

    async def answered(self, chat: str, count: int) -> None:
        """Wait until the chat was sent so many messages."""
        await self.until(lambda: self.answers[chat] >= count)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it holds; looks whenever something changes."""
        async with asyncio.timeout(120):
            while not holds():
                self._changed.clear()
                await self._changed.wait()
