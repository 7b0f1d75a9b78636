"""Messages from and to the world outside: who spoke where, and what goes back.

Ids are strings as the platform knows them and never names: names can be chosen by anyone.
"""

from typing import Literal

import msgspec

ChatType = Literal["dm", "group", "channel"]
MediaKind = Literal["image", "voice", "audio", "video", "document", "sticker"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A place that messages can be sent to."""

    platform: str
    chat_id: str
    thread_id: str | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message came from. Names are for people; nothing is decided by them."""

    platform: str
    chat_id: str
    chat_type: ChatType = "dm"
    user_id: str = ""
    thread_id: str | None = None
    user_name: str = ""
    chat_name: str = ""

    @property
    def target(self) -> Target:
        """Where an answer goes."""
        return Target(platform=self.platform, chat_id=self.chat_id, thread_id=self.thread_id)


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that came or goes with a message: `path` is absolute on this machine, `size` bytes."""

    kind: MediaKind
    path: str
    name: str = ""
    media_type: str = ""
    size: int = 0


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """One message to the agent, as it is stored before the platform hears that we have it.

    `key` is the platform's own id of the update: a second one with the same platform and key is
    the same message. `message_id` names the message for replies and reactions, `quoted` is the
    text that it replies to. `press` is the value of a pressed button; then `text` is empty.
    `addressed` tells whether it is meant for the agent: a private message, a mention, a reply.
    `received_at` is Unix time in seconds. `extra` carries what only the entrance itself reads
    again, such as the run of a scheduled job.
    """

    key: str
    origin: Origin
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    message_id: str | None = None
    quoted: str = ""
    press: str | None = None
    addressed: bool = True
    received_at: float = 0.0
    extra: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class Button(msgspec.Struct, frozen=True):
    """`value` comes back as `Inbound.press`; at most 64 bytes of ASCII."""

    label: str
    value: str


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One message as a platform sends it: `text` in the platform's own dialect, `plain` without
    any. `buttons` are one row. `quotes` is the message that it replies to."""

    text: str = ""
    plain: str = ""
    attachments: tuple[Attachment, ...] = ()
    buttons: tuple[Button, ...] = ()
    quotes: str | None = None
    subject: str = ""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A post on its way. `turn` and `part` name it: the same two are the same message, whatever
    dies in between."""

    turn: str
    part: int
    target: Target
    post: Post
