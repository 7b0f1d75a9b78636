"""The adapter: one bot."""

import logging
import random
from collections.abc import Callable

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.domain.chats import Post, Target
from hermes_agent.domain.errors import HermesError
from hermes_agent.platforms.base import Door, PlatformDown, SendRefused
from hermes_agent.platforms.telegram.calling import KEPT, Entrance
from hermes_agent.platforms.telegram.client import Client
from hermes_agent.platforms.telegram.configuration import Configuration
from hermes_agent.platforms.telegram.intake import Intake
from hermes_agent.platforms.telegram.polling import Poller
from hermes_agent.platforms.telegram.sending import Sender
from hermes_agent.platforms.telegram.wire import Me

CAPABILITIES = Capabilities(
    dialect="telegram",
    max_length=4096,
    unit="utf16",
    edits=True,
    edit_interval=1.0,
    threads=True,
    buttons=True,
    reactions=True,
    typing=True,
    media=frozenset(("image", "voice", "audio", "video", "document", "sticker")),
    max_media=10,
    once="nothing",
    window=(
        "A message that Telegram took while its answer was lost, or the process died before the "
        "id was stored, is sent a second time."
    ),
)

RETRY = (5.0, 30.0)
"""Seconds between two attempts to connect."""

_ALLOWED_REACTIONS = {"✅": "👍", "☑️": "👍", "❌": "👎", "⏳": "👀", "⌛": "👀", "❤️": "❤"}
"""Telegram takes 70-odd emojis only: the nearest for those that are wanted most."""

_log = logging.getLogger(__name__)


class Telegram:
    """A bot, by long polling or by webhook."""

    name = "telegram"
    capabilities = CAPABILITIES

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._client = Client(
            configuration.token, configuration.base_url, proxy=configuration.proxy
        )
        self._sender = Sender(self._client, configuration)
        self._entrance: Entrance | None = None

    @property
    def port(self) -> int | None:
        """Where the webhook listens, once it is ready."""
        return self._entrance.port if self._entrance is not None else None

    async def run(self, door: Door, ready: Callable[[], None]) -> None:
        """See `Platform.run`."""
        me = await self._me()
        intake = Intake(self._client, me, self._configuration, door)
        await self._menu()
        webhook = self._configuration.webhook
        if webhook is not None:
            self._entrance = Entrance(self._client, intake, door, webhook)
            await self._entrance.run(ready)
            return
        await self._leave_webhook(door)
        poller = Poller(
            self._client,
            intake,
            door,
            bot_id=me.id,
            timeout=self._configuration.poll_timeout,
        )
        await poller.run(ready)

    async def send(self, target: Target, post: Post, key: str) -> str:
        """See `Platform.send`."""
        return await self._sender.send(target, post, key)

    async def edit(self, target: Target, message_id: str, post: Post) -> None:
        """See `Platform.edit`."""
        await self._sender.edit(target, message_id, post)

    async def typing(self, target: Target) -> None:
        """See `Platform.typing`."""
        thread = target.thread_id
        try:
            await self._sender.call(
                "sendChatAction",
                target,
                action="typing",
                message_thread_id=int(thread) if thread and thread.isdecimal() else None,
            )
        except HermesError as error:
            _log.debug("telegram: typing could not be shown: %s", error)

    async def react(self, target: Target, message_id: str, emoji: str) -> None:
        """See `Platform.react`."""
        if not message_id.isdecimal():
            raise SendRefused(f"Telegram has no message '{message_id[:40]}'.")
        shown = _ALLOWED_REACTIONS.get(emoji, emoji)
        await self._sender.call(
            "setMessageReaction",
            target,
            message_id=int(message_id),
            reaction=[{"type": "emoji", "emoji": shown}] if shown else [],
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _me(self) -> Me:
        try:
            return await self._client.call("getMe", Me)
        except PlatformDown as error:
            # Without a time the pauses would grow; who comes back on line wants to be heard soon.
            wait = error.retry_after or random.uniform(*RETRY)  # noqa: S311  spreads, hides nothing
            raise PlatformDown(error.message, hint=error.hint, retry_after=wait) from error

    async def _menu(self) -> None:
        commands = self._configuration.commands
        if not commands:
            return
        listed = [{"command": name, "description": about} for name, about in commands]
        try:
            await self._client.call("setMyCommands", bool, {"commands": listed})
        except (SendRefused, PlatformDown) as error:
            _log.warning("telegram: the menu of commands could not be set: %s", error)

    async def _leave_webhook(self, door: Door) -> None:
        """A webhook that we set ourselves keeps us from polling; somebody else's is left."""
        if await door.recall(KEPT):
            await self._client.call("deleteWebhook", bool)
            await door.remember(KEPT, "")
