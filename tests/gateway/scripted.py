"""A chat platform that lives in the test: a person writes, and sees what is shown."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.domain.chats import Attachment, Button, ChatType, Inbound, Origin, Post, Target
from hermes_agent.platforms.base import Door, MessageGone

LIMIT = 20.0


@dataclass
class Shown:
    """A message as people see it now; `texts` has all that it ever said."""

    id: str
    target: Target
    post: Post
    key: str
    texts: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return self.post.plain or self.post.text

    @property
    def buttons(self) -> tuple[Button, ...]:
        return self.post.buttons


class ScriptedPlatform:
    """The port `Platform`. `faults` are raised by the next sends, one each; it outlives the
    gateways of a test, as a real platform does."""

    def __init__(self, name: str = "telegram", **capabilities: object) -> None:
        self.name = name
        chosen: dict[str, object] = {
            "edits": True,
            "edit_interval": 0.0,
            "typing": True,
            "buttons": True,
            **capabilities,
        }
        self.capabilities = Capabilities(**chosen)  # pyright: ignore[reportArgumentType]  the test's own choice
        self.shown: list[Shown] = []
        self.faults: list[Exception] = []
        self.door: Door | None = None
        self._numbers = itertools.count(1)
        self._changed = asyncio.Event()

    async def run(self, door: Door, ready: Callable[[], None]) -> None:
        self.door = door
        ready()
        self._change()
        try:
            await asyncio.Event().wait()
        finally:
            self.door = None

    async def send(self, target: Target, post: Post, key: str) -> str:
        if self.faults:
            raise self.faults.pop(0)
        shown = Shown(str(next(self._numbers)), target, post, key, [post.text])
        self.shown.append(shown)
        self._change()
        return shown.id

    async def edit(self, target: Target, message_id: str, post: Post) -> None:
        found = next((each for each in self.shown if each.id == message_id), None)
        if found is None:
            raise MessageGone("It was deleted.")
        assert found.target == target
        found.post = post
        found.texts.append(post.text)
        self._change()

    async def typing(self, target: Target) -> None: ...

    async def react(self, target: Target, message_id: str, emoji: str) -> None: ...

    async def close(self) -> None: ...

    async def say(
        self,
        text: str = "",
        *,
        user: str = "1",
        chat: str = "1",
        key: str | None = None,
        press: str | None = None,
        attachments: tuple[Attachment, ...] = (),
        extra: dict[str, str] | None = None,
        chat_type: ChatType = "dm",
    ) -> bool:
        """Somebody writes; whether it was let in."""
        await self.until(lambda: self.door is not None)
        door = self.door
        assert door is not None
        number = f"m{next(self._numbers)}"
        place = Origin(platform=self.name, chat_id=chat, user_id=user, chat_type=chat_type)
        if not await door.admits(place, addressed=True):
            return False
        await door.accept(
            Inbound(
                key=key or number,
                origin=place,
                text=text,
                message_id=number,
                press=press,
                attachments=attachments,
                extra=extra or {},
            )
        )
        return True

    async def sees(self, text: str, *, times: int = 1) -> Shown:
        """Wait until so many messages with this text are shown; the last of them."""
        await self.until(lambda: sum(text in each.text for each in self.shown) >= times)
        return [each for each in self.shown if text in each.text][-1]

    def texts(self) -> list[str]:
        """All that is shown now, in order."""
        return [each.text for each in self.shown]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it holds; looks whenever something is shown."""
        try:
            async with asyncio.timeout(LIMIT):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"It never came. Shown: {self.texts()}") from None

    def _change(self) -> None:
        self._changed.set()
