"""What a Discord message says, to whom, and where."""

import re

import msgspec

from hermes_agent.domain.chats import Origin
from hermes_agent.platforms.discord.library import discord

MAX_QUOTED = 2000
MAX_NAME = 80
PLATFORM = "discord"
_TALK = (discord.MessageType.default, discord.MessageType.reply)
_CHANNEL = re.compile(r"<#(\d{1,20})>")


class Rules(msgspec.Struct, frozen=True):
    """When a message in a server is meant for us."""

    require_mention: bool
    free_channels: frozenset[int]

    def free(self, channel: object) -> bool:
        """Whether no mention is needed there."""
        ids = {getattr(channel, "id", 0), getattr(channel, "parent_id", 0)}
        return not self.require_mention or bool(ids & self.free_channels)


def is_talk(message: "discord.Message", me: int) -> bool:
    """Whether a person says something: not ourselves, no other bot, no note of Discord's."""
    author = message.author
    return (
        message.type in _TALK and author.id != me and not author.bot and message.webhook_id is None
    )


def is_addressed(message: "discord.Message", me: int, rules: Rules) -> bool:
    """Whether it is meant for us: in private, by mention, as a reply, or by its place."""
    channel = message.channel
    if message.guild is None or rules.free(channel):
        return True
    if isinstance(channel, discord.Thread) and channel.owner_id == me:
        return True
    if any(user.id == me for user in message.mentions):
        return True
    if any(role.tags is not None and role.tags.bot_id == me for role in message.role_mentions):
        return True
    replied = message.reference.resolved if message.reference else None
    return isinstance(replied, discord.Message) and replied.author.id == me


def text_of(message: "discord.Message", me: int) -> str:
    """What is written, with names for the ids in it and without our own mention."""
    text = message.content
    for user in message.mentions:
        name = "" if user.id == me else f"@{user.display_name}"
        text = text.replace(f"<@{user.id}>", name).replace(f"<@!{user.id}>", name)
    for role in message.role_mentions:
        ours = role.tags is not None and role.tags.bot_id == me
        text = text.replace(f"<@&{role.id}>", "" if ours else f"@{role.name}")
    text = _CHANNEL.sub(lambda found: _channel_name(message, found), text)
    parts = [text.strip()]
    parts += [f"[forwarded]\n{each.content}" for each in message.message_snapshots if each.content]
    parts += [f"[sticker: {each.name}]" for each in message.stickers]
    whole = "\n".join(part for part in parts if part)
    # Half a letter can be written in JSON, and stored nowhere.
    return whole.encode(errors="replace").decode()


def quoted_in(message: "discord.Message") -> str:
    """The text that it replies to."""
    replied = message.reference.resolved if message.reference else None
    return replied.content[:MAX_QUOTED] if isinstance(replied, discord.Message) else ""


def origin_of(
    channel: object, guild: object, user: "discord.abc.User", thread: str | None = None
) -> Origin:
    """The place of a message or an interaction. A thread's chat is the channel it hangs on."""
    ident = getattr(channel, "id", 0)
    parent = getattr(channel, "parent_id", None) if isinstance(channel, discord.Thread) else None
    return Origin(
        platform=PLATFORM,
        chat_id=str(parent or ident),
        chat_type="dm" if guild is None else "group",
        user_id=str(user.id),
        thread_id=str(ident) if parent else thread,
        user_name=user.display_name,
        chat_name=getattr(channel, "name", None) or "",
    )


def thread_name(text: str) -> str:
    """The first line of a message, as a title."""
    line = " ".join(next(iter(text.strip().splitlines()), "").split())
    return f"{line[: MAX_NAME - 1]}…" if len(line) > MAX_NAME else line or "Conversation"


def _channel_name(message: "discord.Message", found: "re.Match[str]") -> str:
    channel = message.guild.get_channel(int(found[1])) if message.guild else None
    return f"#{channel.name}" if channel else found[0]
