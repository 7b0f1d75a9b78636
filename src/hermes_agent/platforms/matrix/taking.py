"""Messages in: read, decided at the door, stored."""

import asyncio
import logging
from collections import OrderedDict
from typing import Protocol

from hermes_agent.domain.chats import Attachment, Inbound, Origin
from hermes_agent.domain.errors import StoreError
from hermes_agent.platforms.base import Door, PlatformDown, PlatformRefused, SendRefused
from hermes_agent.platforms.matrix import reading
from hermes_agent.platforms.matrix.client import Client, Refused
from hermes_agent.platforms.matrix.configuration import Configuration
from hermes_agent.platforms.matrix.fields import Json, text
from hermes_agent.platforms.matrix.files import Files
from hermes_agent.platforms.matrix.reading import Message
from hermes_agent.platforms.matrix.rooms import Room, Rooms
from hermes_agent.platforms.matrix.sending import Sending

FIRST_PAUSE, MAX_PAUSE = 0.2, 30.0
MAX_UNREAD = 200
_log = logging.getLogger(__name__)


class Opening(Protocol):
    """Reads what is encrypted."""

    async def opened(self, room: str, event: Json) -> Json | None:
        """The event that is in this one, or None where there is no key."""
        ...


class Taking:
    """What happens in rooms that we are in; the events of a room are taken one after another."""

    def __init__(
        self,
        configuration: Configuration,
        client: Client,
        rooms: Rooms,
        files: Files,
        sending: Sending,
        door: Door,
        me: str,
        opening: Opening | None,
    ) -> None:
        self._configuration = configuration
        self._client = client
        self._rooms = rooms
        self._files = files
        self._sending = sending
        self._door = door
        self._me = me
        self._opening = opening
        self._unreadable: set[str] = set()
        self._unread: OrderedDict[str, tuple[str, Json]] = OrderedDict()

    async def take(self, ident: str, happened: list[Json]) -> None:
        """All of this. After `PlatformDown` and `PlatformRefused` it is to be taken again."""
        last = ""
        for event in happened:
            try:
                if "state_key" in event:
                    self._rooms.happened(ident, event)
                elif text(event, "sender") != self._me and await self._insist(ident, event):
                    last = text(event, "event_id")
            except (PlatformDown, PlatformRefused):
                raise
            except SendRefused as error:
                _log.warning("matrix: something in %s cannot be read: %s", ident, error)
            except Exception:  # noqa: BLE001  one message that breaks us must not hold up the rest
                _log.exception("matrix: %s could not be handled", text(event, "event_id"))
        if last and self._configuration.read_receipts:
            await self._sending.read(ident, last)

    async def keys_came(self) -> None:
        """Take what could not be read before. Raises as `take` does."""
        for key, (ident, event) in tuple(self._unread.items()):
            if self._opening is not None and await self._opening.opened(ident, event):
                await self.take(ident, [event])
                self._unread.pop(key, None)

    async def _insist(self, ident: str, event: Json) -> bool:
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._handle(ident, event)
            except StoreError as error:
                _log.warning("matrix: a message could not be stored: %s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_PAUSE)

    async def _handle(self, ident: str, event: Json) -> bool:
        """Whether it was accepted."""
        if text(event, "type") == "m.room.encrypted":
            plain = await self._opening.opened(ident, event) if self._opening else None
            if plain is None:
                self._complain(ident)
                self._wait_for_key(ident, event)
                return False
            event = plain
        message = reading.message_in(event)
        if message is None or not message.id or not message.sender:
            return False
        room = await self._rooms.get(ident)
        answered = await self._answered(room, message)
        if not self._is_addressed(room, message, answered):
            return False
        origin = self._origin(room, message)
        if not await self._door.admits(origin, addressed=True, private_name=message.sender):
            return False
        attachments, notes = await self._fetched(message)
        words = self._words(room, message)
        if not words and not attachments and not notes:
            return False
        quoted = reading.quoted_of(answered) or message.fallback if message.quotes else ""
        await self._door.accept(
            Inbound(
                key=message.id,
                origin=origin,
                text="\n".join(part for part in (words, notes) if part),
                attachments=attachments,
                message_id=message.id,
                quoted=quoted,
                received_at=message.sent_at,
            )
        )
        return True

    def _is_addressed(self, room: Room, message: Message, answered: Json) -> bool:
        rules = self._configuration
        return (
            room.chat_type == "dm"
            or not rules.require_mention
            or room.id in rules.free_rooms
            or text(answered, "sender") == self._me
            or reading.names(message.content, message.text, self._me, self._name(room))
        )

    async def _answered(self, room: Room, message: Message) -> Json:
        """The event that it answers, where that tells something."""
        if message.replies_to is None or (room.chat_type == "dm" and not message.quotes):
            return {}
        try:
            event = await self._client.call("GET", "rooms", room.id, "event", message.replies_to)
        except Refused:
            return {}
        if text(event, "type") == "m.room.encrypted" and self._opening is not None:
            return await self._opening.opened(room.id, event) or event
        return event

    def _origin(self, room: Room, message: Message) -> Origin:
        private = room.chat_type == "dm"
        name = room.members.get(message.sender, "")
        return Origin(
            platform="matrix",
            chat_id=room.id,
            chat_type=room.chat_type,
            user_id=message.sender,
            thread_id=message.thread,
            user_name=name or message.sender,
            chat_name=room.name or (name if private else ""),
        )

    def _words(self, room: Room, message: Message) -> str:
        bare = reading.without_name(message.text, self._me, self._name(room))
        words = bare or message.text
        if text(message.content, "msgtype") == "m.emote":
            return f"* {room.members.get(message.sender) or message.sender} {words}"
        return words

    def _name(self, room: Room) -> str:
        return room.members.get(self._me, "")

    async def _fetched(self, message: Message) -> tuple[tuple[Attachment, ...], str]:
        if message.media is None:
            return (), ""
        found = await self._files.fetch(message.media, message.id)
        return ((), found) if isinstance(found, str) else ((found,), "")

    def _wait_for_key(self, ident: str, event: Json) -> None:
        """A key may come after its message, from another server."""
        if self._opening is not None and text(event, "event_id"):
            self._unread[text(event, "event_id")] = (ident, event)
            if len(self._unread) > MAX_UNREAD:
                self._unread.popitem(last=False)

    def _complain(self, ident: str) -> None:
        if ident in self._unreadable:
            return
        self._unreadable.add(ident)
        why = "there is no key for it" if self._opening else "MATRIX_ENCRYPTION is off"
        _log.warning("matrix: an encrypted message in %s cannot be read: %s", ident, why)
