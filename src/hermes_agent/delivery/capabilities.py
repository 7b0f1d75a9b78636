"""What a platform can do, declared by its adapter and honoured by everything that sends."""

from typing import Literal

import msgspec

from hermes_agent.domain.chats import MediaKind

Dialect = Literal["plain", "telegram", "discord", "matrix", "email", "irc"]


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """`max_length` counts in `unit`s. `edit_interval` is the least time between two edits in one
    chat, in seconds. `once` tells what keeps a message from being sent twice when the process
    dies between sending and storing its id: the platform's own idempotency `key`, or nothing;
    `window` says in a sentence what can happen then."""

    dialect: Dialect = "plain"
    max_length: int = 4000
    unit: Literal["characters", "utf16", "bytes"] = "characters"
    edits: bool = False
    edit_interval: float = 1.0
    threads: bool = False
    buttons: bool = False
    reactions: bool = False
    typing: bool = False
    media: frozenset[MediaKind] = frozenset()
    max_media: int = 0
    once: Literal["key", "nothing"] = "nothing"
    window: str = ""
