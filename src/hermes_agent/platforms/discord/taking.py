"""Messages in: in order, stored, and none left behind while we were away."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from hermes_agent.domain.chats import Inbound
from hermes_agent.domain.errors import HermesError, StoreError
from hermes_agent.platforms.base import Door, PlatformDown, SendRefused
from hermes_agent.platforms.discord import interactions
from hermes_agent.platforms.discord.connection import Connection, Hearer
from hermes_agent.platforms.discord.faults import faults
from hermes_agent.platforms.discord.files import Files
from hermes_agent.platforms.discord.lanes import Lanes
from hermes_agent.platforms.discord.library import discord
from hermes_agent.platforms.discord.private import PrivateChats
from hermes_agent.platforms.discord.reading import (
    Rules,
    is_addressed,
    is_talk,
    origin_of,
    quoted_in,
    text_of,
    thread_name,
)
from hermes_agent.platforms.discord.watermark import Watermark, snowflake

if TYPE_CHECKING:
    from hermes_agent.platforms.discord.configuration import Configuration

MAX_PENDING = 5000
MAX_MISSED = 5000
AWAY_DAYS = 7.0
KEEP_SECONDS = 30.0
LATE = 120.0
"""Seconds after the begin of a session in which a server is described late."""

FIRST_PAUSE = 0.2
MAX_PAUSE = 30.0
THREAD_EXISTS = 160004
_REMEMBERED = 4096
_log = logging.getLogger(__name__)


class Taking:
    """What one connection hears. Messages of a channel are handled one after another.

    Discord does not ask whether we have a message, so the id up to which all are stored is kept;
    after a new connection the messages since then are asked for, those of a channel before
    anything new in it.
    """

    def __init__(
        self, configuration: "Configuration", door: Door, ready: Callable[[], None]
    ) -> None:
        self._configuration = configuration
        self._rules = Rules(configuration.require_mention, configuration.free_channels)
        self._door = door
        self._ready = ready
        self._lanes = Lanes()
        self._files = Files(configuration)
        self._held: list[discord.Message] | None = None
        self._handled: OrderedDict[int, None] = OrderedDict()
        self._private = PrivateChats(door, configuration.people)
        self._mark = Watermark(0)
        self._kept = 0
        self._floor: int | None = None
        self._session = (0.0, 0)
        self.overflow = asyncio.Event()
        self.client = Connection(configuration, self._hearers())

    async def begin(self) -> None:
        """What is known from earlier lives. Raises `StoreError`."""
        kept = await self._door.recall("seen")
        await self._private.load()
        start = int(kept) if kept else snowflake(time.time())
        self._mark = Watermark(start, guessed=not kept)
        if not kept:
            await self._door.remember("seen", str(start))
        self._kept = start

    async def keep(self) -> None:
        """Keep the watermark, now and then, until cancelled."""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            await self._keep()

    async def close(self) -> None:
        """Stop; what is in hand is asked for again after the next start."""
        await self._lanes.close()
        await self._keep()
        await self._files.close()

    async def _keep(self) -> None:
        value = self._mark.value
        if value == self._kept:
            return
        try:
            await self._door.remember("seen", str(value))
        except StoreError as error:
            _log.warning("discord: the place in the history could not be kept: %s", error)
        else:
            self._kept = value

    def _hearers(self) -> Mapping[str, Hearer]:
        return {
            "connect": self._connected,
            "ready": self._described,
            "guild_available": self._guild,
            "guild_join": self._guild,
            "message": self._heard,
            "interaction": self._pressed,
        }

    def _connected(self) -> None:
        """A new session: what comes waits until it is known what was missed."""
        if self._held is None:
            self._held = []
            self._floor = max(self._mark.value, snowflake(time.time() - AWAY_DAYS * 86_400))
            self._mark.hold(self._floor)
            self._session = (time.monotonic(), self._floor)

    def _described(self) -> None:
        """All servers are known now."""
        floor, held = self._floor, self._held or []
        self._held = None
        if floor is not None:
            for guild in self.client.guilds:
                self._catch_up_guild(guild, floor)
            for ident in self._private.channels:
                channel = self.client.get_partial_messageable(
                    ident, type=discord.ChannelType.private
                )
                self._catch_up(channel, floor)
            self._lanes.put("private", lambda: self._open(floor))
            self._floor = None
        for message in held:
            self._put(message)
            self._mark.end(message.id)
        commands = self._configuration.commands
        self._lanes.put("commands", lambda: self._register(commands))
        self._ready()

    def _guild(self, guild: "discord.Guild") -> None:
        """A server that is described late, after all others; earlier ones come with the rest."""
        if self._held is None:
            began, floor = self._session
            late = time.monotonic() - began < LATE
            self._catch_up_guild(guild, floor if late else self._mark.value)

    def _catch_up_guild(self, guild: "discord.Guild", floor: int) -> None:
        for channel in (*guild.text_channels, *guild.voice_channels, *guild.threads):
            if (channel.last_message_id or 0) > floor and _is_readable(channel, guild):
                self._catch_up(channel, floor)

    def _catch_up(self, channel: "discord.abc.Messageable", floor: int) -> None:
        self._mark.hold(floor)
        self._lanes.put(getattr(channel, "id", 0), lambda: self._take_missed(channel, floor))

    def _heard(self, message: "discord.Message") -> None:
        if self._held is not None:
            self._mark.begin(message.id)
            self._held.append(message)
        else:
            self._put(message)

    def _put(self, message: "discord.Message") -> None:
        if len(self._lanes) >= MAX_PENDING:
            # They stay in Discord's history, from where they are taken later.
            self._mark.begin(message.id)
            self.overflow.set()
            return
        self._mark.begin(message.id)
        self._lanes.put(message.channel.id, lambda: self._take(message))

    def _pressed(self, interaction: "discord.Interaction") -> None:
        self._lanes.put(
            ("press", interaction.channel_id),
            lambda: interactions.take(self.client, interaction, self._door),
        )

    async def _open(self, floor: int) -> None:
        await self._private.open(self.client, lambda channel: self._catch_up(channel, floor))
        self._mark.release(floor)

    async def _register(self, commands: tuple[str, ...]) -> None:
        try:
            await interactions.register(self.client, self._door, commands)
        except HermesError as error:
            _log.warning("discord: the commands could not be made known: %s", error)

    async def _take_missed(self, channel: "discord.abc.Messageable", floor: int) -> None:
        after, pause = floor, FIRST_PAUSE
        while True:
            try:
                with faults():
                    history = channel.history(
                        after=discord.Object(after), limit=MAX_MISSED, oldest_first=True
                    )
                    async for message in history:
                        await self._survive(message)
                        after = message.id
            except SendRefused:
                break
            except PlatformDown as error:
                await asyncio.sleep(error.retry_after or pause)
                pause = min(pause * 2, MAX_PAUSE)
            else:
                break
        self._mark.release(floor)

    async def _take(self, message: "discord.Message") -> None:
        await self._survive(message)
        self._mark.end(message.id)

    async def _survive(self, message: "discord.Message") -> None:
        try:
            await self._handle(message)
        except Exception:  # noqa: BLE001  one message that breaks us must not hold up the rest
            _log.exception("discord: message %s could not be handled", message.id)

    async def _handle(self, message: "discord.Message") -> None:
        user = self.client.user
        if user is None or message.id in self._handled or not is_talk(message, user.id):
            return
        if is_addressed(message, user.id, self._rules):
            await self._admit(message, user.id)
        self._handled[message.id] = None
        if len(self._handled) > _REMEMBERED:
            self._handled.popitem(last=False)

    async def _admit(self, message: "discord.Message", me: int) -> None:
        author = message.author
        origin = origin_of(message.channel, message.guild, author)
        admitted = await self._door.admits(origin, addressed=True, private_name=author.name)
        if message.guild is None:
            await self._private.note(author.id, message.channel.id, admitted=admitted)
        if not admitted:
            return
        text = text_of(message, me)
        thread = await self._thread(message, text)
        files, notes = await self._files.fetch(message)
        await self._insist(
            Inbound(
                key=str(message.id),
                origin=origin_of(message.channel, message.guild, author, thread),
                text="\n".join(part for part in (text, notes) if part),
                attachments=files,
                message_id=str(message.id),
                quoted=quoted_in(message),
                received_at=message.created_at.timestamp(),
            )
        )

    async def _thread(self, message: "discord.Message", text: str) -> str | None:
        """The thread that the answer goes to, which has its message's own id."""
        channel = message.channel
        wanted = self._configuration.auto_thread and not self._rules.free(channel)
        if not wanted or not isinstance(channel, discord.TextChannel):
            return None
        if not message.flags.has_thread:
            try:
                with faults():
                    await message.create_thread(name=thread_name(text))
            except HermesError as error:
                cause = error.__cause__
                if getattr(cause, "code", 0) != THREAD_EXISTS:
                    _log.warning("discord: no thread could be made: %s", error)
                    return None
        return str(message.id)

    async def _insist(self, inbound: Inbound) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._door.accept(inbound)
            except StoreError as error:
                _log.warning("discord: a message could not be stored: %s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_PAUSE)
            else:
                return


def _is_readable(
    channel: "discord.abc.GuildChannel | discord.Thread", guild: "discord.Guild"
) -> bool:
    """Whether our permissions let us; where they are not known, Discord says it."""
    place = channel.parent if isinstance(channel, discord.Thread) else channel
    me: discord.Member | None = guild.me
    if place is None or me is None:  # pyright: ignore[reportUnnecessaryComparison]  its type leaves out a server that did not describe us
        return True
    may = place.permissions_for(me)
    return may.view_channel and may.read_message_history
