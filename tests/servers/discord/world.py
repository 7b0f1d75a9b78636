"""What there is on this Discord: people, servers, channels, messages."""

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

EPOCH_MS = 1_420_070_400_000
BOT = 9001
TEXT, PRIVATE, VOICE, PUBLIC_THREAD = 0, 1, 2, 11

Json = dict[str, Any]
VIEW_CHANNEL, READ_HISTORY = 1 << 10, 1 << 16
MEMBER: dict[str, Any] = {
    "roles": [],
    "nick": None,
    "joined_at": "2026-01-01T00:00:00+00:00",
    "deaf": False,
    "mute": False,
    "flags": 0,
}


@dataclass
class Channel:
    """A channel, a private one, or a thread (`parent`, `owner`). `hidden`: the bot may not read
    it."""

    id: int
    kind: int
    guild: int | None = None
    name: str = ""
    parent: int | None = None
    owner: int | None = None
    recipient: int | None = None
    hidden: bool = False
    messages: dict[int, Json] = field(default_factory=dict[int, Json])

    def json(self, users: dict[int, Json]) -> Json:
        made: Json = {"id": str(self.id), "type": self.kind}
        if self.kind == PRIVATE:
            return made | {"recipients": [users[self.recipient or 0]], "last_message_id": self.last}
        made |= {
            "guild_id": str(self.guild),
            "name": self.name,
            "position": 0,
            "permission_overwrites": [
                {"id": str(self.guild), "type": 0, "allow": "0", "deny": str(VIEW_CHANNEL)}
            ]
            if self.hidden
            else [],
            "parent_id": str(self.parent) if self.parent else None,
            "last_message_id": self.last,
        }
        if self.kind == PUBLIC_THREAD:
            made |= {
                "owner_id": str(self.owner),
                "message_count": len(self.messages),
                "member_count": 1,
                "thread_metadata": {
                    "archived": False,
                    "auto_archive_duration": 1440,
                    "archive_timestamp": "2026-01-01T00:00:00+00:00",
                    "locked": False,
                },
            }
        return made

    @property
    def last(self) -> str | None:
        return str(max(self.messages)) if self.messages else None


class World:
    """The state. Ids are snowflakes of the present time."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self.users: dict[int, Json] = {}
        self.channels: dict[int, Channel] = {}
        self.guilds: dict[int, str] = {}
        self.user(BOT, "hermes", bot=True)

    def id(self) -> int:
        """A new snowflake, larger than all before."""
        return ((int(time.time() * 1000) - EPOCH_MS) << 22) + (1 << 12) + next(self._numbers)

    def user(self, ident: int, name: str, *, bot: bool = False) -> int:
        self.users[ident] = {
            "id": str(ident),
            "username": name,
            "global_name": name.title(),
            "discriminator": "0",
            "avatar": None,
            "bot": bot,
        }
        return ident

    def guild(self, name: str = "House") -> int:
        ident = self.id()
        self.guilds[ident] = name
        return ident

    def channel(self, guild: int, name: str = "hall", *, kind: int = TEXT) -> int:
        ident = self.id()
        self.channels[ident] = Channel(ident, kind, guild=guild, name=name)
        return ident

    def private(self, user: int) -> int:
        ident = self.id()
        self.channels[ident] = Channel(ident, PRIVATE, recipient=user)
        return ident

    def thread(self, parent: int, owner: int, name: str, ident: int | None = None) -> Channel:
        over = self.channels[parent]
        made = Channel(
            ident or self.id(),
            PUBLIC_THREAD,
            guild=over.guild,
            name=name,
            parent=parent,
            owner=owner,
        )
        self.channels[made.id] = made
        return made

    def message(self, channel: int, author: int, text: str = "", **fields: Any) -> Json:
        """A message in a channel, as everybody sees it."""
        ident = fields.pop("ident", None) or self.id()
        made: Json = {
            "id": str(ident),
            "channel_id": str(channel),
            "author": self.users[author],
            "content": text,
            "timestamp": "2026-01-01T00:00:00.000000+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "pinned": False,
            "type": 0,
            "flags": 0,
            "components": [],
            **fields,
        }
        place = self.channels[channel]
        if place.guild is not None:
            made["guild_id"] = str(place.guild)
            made["member"] = MEMBER
        place.messages[ident] = made
        return made

    def guild_json(self, ident: int) -> Json:
        """As in GUILD_CREATE."""
        mine = [each for each in self.channels.values() if each.guild == ident]
        return {
            "id": str(ident),
            "name": self.guilds[ident],
            "owner_id": "1",
            "unavailable": False,
            "large": False,
            "member_count": 2,
            "joined_at": "2026-01-01T00:00:00+00:00",
            "roles": [
                {
                    "id": str(ident),
                    "name": "@everyone",
                    "permissions": str(VIEW_CHANNEL | READ_HISTORY),
                    "color": 0,
                    "hoist": False,
                    "position": 0,
                    "managed": False,
                    "mentionable": False,
                }
            ],
            "emojis": [],
            "stickers": [],
            "features": [],
            "members": [{"user": self.users[BOT], **MEMBER}],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "channels": [each.json(self.users) for each in mine if each.kind != PUBLIC_THREAD],
            "threads": [each.json(self.users) for each in mine if each.kind == PUBLIC_THREAD],
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "preferred_locale": "en-US",
            "system_channel_flags": 0,
            "afk_timeout": 300,
        }
