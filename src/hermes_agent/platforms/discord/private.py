"""Private channels. Discord lists them nowhere, so those to look into after a pause are kept."""

import contextlib
import logging
from collections.abc import Callable

import msgspec

from hermes_agent.domain.errors import HermesError, StoreError
from hermes_agent.platforms.base import Door
from hermes_agent.platforms.discord.faults import faults
from hermes_agent.platforms.discord.library import discord

FACT = "private"
MAX_KNOWN = 500
MAX_STRANGERS = 50
MAX_OPENED = 20
_log = logging.getLogger(__name__)


class _Kept(msgspec.Struct):
    """Channels by person, the least recent first."""

    known: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    strangers: dict[str, int] = msgspec.field(default_factory=dict[str, int])


class PrivateChats:
    """Strangers have a few places of their own, so that they cannot push out those we know."""

    def __init__(self, door: Door, allowed: tuple[int, ...]) -> None:
        self._door = door
        self._allowed = allowed
        self._kept = _Kept()

    @property
    def channels(self) -> tuple[int, ...]:
        """Where somebody may have written."""
        return (*self._kept.known.values(), *self._kept.strangers.values())

    async def load(self) -> None:
        """What earlier lives knew. Raises `StoreError`."""
        text = await self._door.recall(FACT)
        with contextlib.suppress(msgspec.DecodeError):
            self._kept = msgspec.json.decode(text or "{}", type=_Kept)

    async def note(self, user: int, channel: int, *, admitted: bool) -> None:
        """Somebody wrote there."""
        name, kept = str(user), self._kept
        if kept.known.get(name) == channel or (
            not admitted and kept.strangers.get(name) == channel
        ):
            return
        kept.strangers.pop(name, None)
        (kept.known if admitted else kept.strangers)[name] = channel
        for places, most in ((kept.known, MAX_KNOWN), (kept.strangers, MAX_STRANGERS)):
            while len(places) > most:
                del places[next(iter(places))]
        try:
            await self._door.remember(FACT, msgspec.json.encode(kept).decode())
        except StoreError as error:
            _log.warning("discord: a private channel could not be kept: %s", error)

    async def open(
        self, client: "discord.Client", found: Callable[["discord.DMChannel"], None]
    ) -> None:
        """Ask for the channels of those who are named in the configuration and never wrote to us
        while we listened: they may have written before that."""
        for user in self._allowed[:MAX_OPENED]:
            if str(user) in self._kept.known:
                continue
            try:
                with faults():
                    channel = await client.create_dm(discord.Object(user))
            except HermesError as error:
                _log.info("discord: no private channel to %s: %s", user, error)
            else:
                await self.note(user, channel.id, admitted=True)
                found(channel)
