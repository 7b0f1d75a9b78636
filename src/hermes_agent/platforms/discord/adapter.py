"""The adapter: one connection to Discord and the ways out."""

import asyncio
import logging
from collections.abc import Callable

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.domain.chats import Post, Target
from hermes_agent.platforms.base import Door, PlatformDown
from hermes_agent.platforms.discord import sending
from hermes_agent.platforms.discord.configuration import Configuration
from hermes_agent.platforms.discord.connection import Connection
from hermes_agent.platforms.discord.faults import faults
from hermes_agent.platforms.discord.taking import Taking

CAPABILITIES = Capabilities(
    dialect="discord",
    max_length=2000,
    unit="utf16",
    edits=True,
    edit_interval=1.2,
    threads=True,
    buttons=True,
    reactions=True,
    typing=True,
    media=frozenset(("image", "voice", "audio", "video", "document", "sticker")),
    max_media=sending.MAX_FILES,
    once="key",
    window=(
        "Discord knows a message again by its nonce for some minutes only: what is sent again "
        "later than that, because the process was down for so long, may stand there twice."
    ),
)
_log = logging.getLogger(__name__)


class Discord:
    """One bot. Made again by the gateway when its connection is lost for good."""

    name = "discord"
    capabilities = CAPABILITIES

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._taking: Taking | None = None

    async def run(self, door: Door, ready: Callable[[], None]) -> None:
        """See `Platform.run`. A connection that breaks is resumed by the library; one that cannot
        be had again ends this, and what was missed is taken from the history later."""
        taking = self._taking = Taking(self._configuration, door, ready)
        await taking.begin()
        token = self._configuration.token.reveal()
        tasks = [
            asyncio.create_task(taking.client.start(token, reconnect=False), name="discord"),
            asyncio.create_task(taking.overflow.wait(), name="discord overflow"),
        ]
        keeping = asyncio.create_task(taking.keep(), name="discord place")
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if taking.overflow.is_set():
                raise PlatformDown("More messages wait than can be stored.")
            with faults():
                await tasks[0]
            raise PlatformDown("Discord closed the connection.")
        finally:
            self._taking = None
            for task in (*tasks, keeping):
                task.cancel()
            await asyncio.wait((*tasks, keeping))
            await taking.close()
            await taking.client.close()

    async def send(self, target: Target, post: Post, key: str) -> str:
        """See `Platform.send`."""
        return await sending.send(self._client, target, post, key, self._configuration.max_upload)

    async def edit(self, target: Target, message_id: str, post: Post) -> None:
        """See `Platform.edit`."""
        await sending.edit(self._client, target, message_id, post, self._configuration.max_upload)

    async def typing(self, target: Target) -> None:
        """See `Platform.typing`."""
        if self._taking is not None:
            await sending.typing(self._client, target)

    async def react(self, target: Target, message_id: str, emoji: str) -> None:
        """See `Platform.react`."""
        await sending.react(self._client, target, message_id, emoji)

    async def close(self) -> None:
        """`run` has given everything back when it ends."""

    @property
    def _client(self) -> Connection:
        if self._taking is None or not self._taking.client.http.token:
            raise PlatformDown("Discord is not connected.")
        return self._taking.client
