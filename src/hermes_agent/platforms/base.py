"""The contract of a chat platform: what an adapter does, and what the gateway does for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.domain.chats import Inbound, Origin, Post, Target
from hermes_agent.domain.errors import HermesError


class PlatformDown(HermesError):
    """The platform cannot be reached just now.

    `retry_after` is in seconds, if the platform named a time.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class PlatformRefused(HermesError):
    """The platform refuses us: a wrong token, a missing permission. Only a person can help."""


class SendRefused(HermesError):
    """The platform will never take this message: the chat is gone, we are blocked there."""


class MessageGone(SendRefused):
    """The message that was to be edited does not exist any more."""


class PlatformSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter is made from.

    `value` are the adapter's own settings: `platforms.<name>.extra`, and beside them `token`,
    `api_key` and the documented environment variables by their lower-case names without the
    platform's prefix (TELEGRAM_BOT_TOKEN is `bot_token`, EMAIL_IMAP_HOST is `imap_host`).
    `extra` is `platforms.<name>.extra` as it stands, for what does not fit there. Secrets are
    among them, so it is never printed. `media_dir` is where received files go.
    """

    name: str
    values: dict[str, str | int | float | bool | list[str] | dict[str, str]]
    media_dir: Path
    extra: dict[str, object] = msgspec.field(default_factory=dict[str, object])
    reply_to: Literal["off", "first", "all"] = "first"


class Door(Protocol):
    """The way in, given to a running adapter."""

    async def admits(self, origin: Origin, *, addressed: bool, private_name: str = "") -> bool:
        """Whether this person may speak here. A stranger leaves an id and a time and may be sent
        a pairing code; ask before anything is downloaded."""
        ...

    async def accept(self, inbound: Inbound) -> None:
        """Store the message. Only after this returns may the platform be told that we have it.

        Raises `StoreError`: then nothing is stored and the platform must not be told.
        """
        ...

    async def remember(self, key: str, value: str) -> None:
        """Keep a small fact of the adapter's, such as an offset, across restarts."""
        ...

    async def recall(self, key: str) -> str | None:
        """That fact, or None."""
        ...


class Platform(Protocol):
    """One connection to a chat platform. Made by `create(settings)` of its package.

    `create` raises `ConfigError` for settings that cannot be used and for a missing library, with
    the name of the extra that brings it.
    """

    @property
    def name(self) -> str:
        """As in `platforms.<name>`."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    async def run(self, door: Door, ready: Callable[[], None]) -> None:
        """Connect, call `ready` once messages flow, and take messages in until cancelled.

        Raises `PlatformDown` when the connection is lost for good (it is started again after a
        while) and `PlatformRefused` when only a person can help.
        """
        ...

    async def send(self, target: Target, post: Post, key: str) -> str:
        """Send; returns the platform's id of the message (of the last one, where it takes
        several). `key` is the same at every attempt to send this message. Raises `PlatformDown`,
        `PlatformRefused` or `SendRefused`."""
        ...

    async def edit(self, target: Target, message_id: str, post: Post) -> None:
        """Replace the text of a message of ours. Where nothing changed, nothing is done. Raises
        as `send` does, and `MessageGone`. Only with `capabilities.edits`."""
        ...

    async def typing(self, target: Target) -> None:
        """Show that an answer is on its way; shows for some seconds. Never fails the turn."""
        ...

    async def react(self, target: Target, message_id: str, emoji: str) -> None:
        """React to a message; an empty emoji takes the reaction back. Only with
        `capabilities.reactions`."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...
