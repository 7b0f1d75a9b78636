"""From raw updates through the door. An update is done when `take` has returned."""

import asyncio
import logging
import time
from collections.abc import Sequence

import msgspec

from hermes_agent.domain.chats import Attachment, Inbound, Origin
from hermes_agent.domain.errors import HermesError, StoreError
from hermes_agent.platforms.base import Door
from hermes_agent.platforms.telegram.client import Client
from hermes_agent.platforms.telegram.configuration import Configuration
from hermes_agent.platforms.telegram.media import Fetcher
from hermes_agent.platforms.telegram.reading import Heard, Reader
from hermes_agent.platforms.telegram.wire import (
    CallbackQuery,
    Me,
    MemberUpdated,
    Message,
    Numbered,
    Raw,
    Update,
    decoded,
)

LANES = 8

_log = logging.getLogger(__name__)


class Intake:
    """Takes updates in for one bot."""

    def __init__(self, client: Client, me: Me, configuration: Configuration, door: Door) -> None:
        self._client = client
        self._me = me
        self._door = door
        self._reader = Reader(me, configuration)
        self._fetcher = Fetcher(client, configuration.media_dir)
        self._free = asyncio.Semaphore(LANES)

    async def take(self, batch: Sequence[Raw]) -> int | None:
        """Take updates in: those of one chat in order, the chats side by side. Returns the
        highest update id. Raises `StoreError`: then all are to come again."""
        updates = [update for raw in batch if (update := _read(raw)) is not None]
        lanes: dict[int, list[Update]] = {}
        for update in updates:
            if isinstance(update, Update):
                lanes.setdefault(_chat(update), []).append(update)
        if len(lanes) == 1:
            await self._lane(*lanes.values())
        elif lanes:
            ended = await asyncio.gather(*map(self._lane, lanes.values()), return_exceptions=True)
            for error in ended:
                if error is not None:
                    raise error
        return max((update.update_id for update in updates), default=None)

    async def _lane(self, updates: list[Update]) -> None:
        async with self._free:
            for update in updates:
                try:
                    await self._one(update)
                except StoreError:
                    raise
                except Exception:  # noqa: BLE001  the root of an update: it blocks no other
                    _log.exception("telegram: update %d is passed over", update.update_id)

    async def _one(self, update: Update) -> None:
        key = f"{self._me.id}:{update.update_id}"
        message = update.message or update.channel_post
        if message is not None:
            await self._message(key, message)
        elif update.callback_query is not None:
            await self._press(key, update.callback_query)
        elif update.my_chat_member is not None:
            _note(update.my_chat_member)

    async def _message(self, key: str, message: Message) -> None:
        if message.migrate_to_chat_id is not None:
            _log.info("telegram: group %d is now %d", message.chat.id, message.migrate_to_chat_id)
            return
        heard = self._reader.message(message)
        if heard is None or not await self._admits(heard.origin, heard.addressed):
            return
        attachments, notes = await self._files(heard, key)
        text = "\n".join(each for each in (heard.text, *notes) if each)
        await self._door.accept(
            Inbound(
                key=key,
                origin=heard.origin,
                text=text,
                attachments=attachments,
                message_id=heard.message_id,
                quoted=heard.quoted,
                addressed=heard.addressed,
                received_at=time.time(),
                extra=heard.extra,
            )
        )

    async def _press(self, key: str, query: CallbackQuery) -> None:
        origin = self._reader.press(query)
        if origin is not None and await self._admits(origin, addressed=True):
            await self._door.accept(
                Inbound(
                    key=key,
                    origin=origin,
                    press=query.data,
                    message_id=str(query.message.message_id) if query.message else None,
                    received_at=time.time(),
                )
            )
        try:
            await self._client.call("answerCallbackQuery", bool, {"callback_query_id": query.id})
        except HermesError as error:
            # Only the button's spinner hangs on it.
            _log.debug("telegram: a press could not be answered: %s", error)

    async def _admits(self, origin: Origin, addressed: bool) -> bool:
        return await self._door.admits(origin, addressed=addressed, private_name=origin.user_name)

    async def _files(self, heard: Heard, key: str) -> tuple[tuple[Attachment, ...], list[str]]:
        stem = key.replace(":", "-")
        attachments: list[Attachment] = []
        notes: list[str] = []
        for number, wanted in enumerate(heard.wanted):
            fetched = await self._fetcher.fetch(wanted, f"{stem}-{number}")
            if isinstance(fetched, str):
                notes.append(fetched)
            else:
                attachments.append(fetched)
        return tuple(attachments), notes


def _read(raw: Raw) -> Update | Numbered | None:
    try:
        return decoded(bytes(raw), Update)
    except msgspec.DecodeError as error:
        try:
            numbered = decoded(bytes(raw), Numbered)
        except msgspec.DecodeError:
            _log.warning("telegram: something that is no update is passed over: %s", error)
            return None
        _log.warning("telegram: update %d cannot be read: %s", numbered.update_id, error)
        return numbered


def _chat(update: Update) -> int:
    message = update.message or update.channel_post
    if message is None and update.callback_query is not None:
        message = update.callback_query.message
    return message.chat.id if message is not None else 0


def _note(member: MemberUpdated) -> None:
    _log.info(
        "telegram: in chat %d we are now '%s'", member.chat.id, member.new_chat_member.status[:40]
    )
