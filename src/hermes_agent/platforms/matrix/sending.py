"""Messages, edits, reactions, typing to Matrix."""

import asyncio
import contextlib
import hashlib
import time
import uuid
from collections import OrderedDict
from pathlib import Path
from typing import Protocol

from hermes_agent.domain.chats import Attachment, Post, Target
from hermes_agent.domain.errors import HermesError
from hermes_agent.platforms.base import MessageGone
from hermes_agent.platforms.matrix import writing
from hermes_agent.platforms.matrix.client import Client, Refused
from hermes_agent.platforms.matrix.fields import Json, events, mapping, number, text
from hermes_agent.platforms.matrix.files import display, pieces
from hermes_agent.platforms.matrix.invitations import Invitations
from hermes_agent.platforms.matrix.rooms import Rooms

TYPING = 8.0
"""Seconds that typing shows."""

_REMEMBERED = 500
_MESSAGE = "m.room.message"


class Sealing(Protocol):
    """Encrypts what goes into encrypted rooms."""

    async def sealed(self, room: str, kind: str, content: Json) -> tuple[str, Json]:
        """The type and content to send instead; the same in rooms that are not encrypted."""
        ...

    async def locked(self, room: str, data: bytes) -> tuple[bytes, Json] | None:
        """A file encrypted, and its `file` without the address; None where it goes as it is."""
        ...


class Sending:
    """The ways out of one connection."""

    def __init__(
        self,
        client: Client,
        rooms: Rooms,
        invitations: Invitations,
        me: str,
        *,
        max_file: int,
        sealing: Sealing | None,
    ) -> None:
        self._client = client
        self._rooms = rooms
        self._invitations = invitations
        self._me = me
        self._max_file = max_file
        self._limit: int | None = None
        self._sealing = sealing
        self._typing: dict[str, float] = {}
        self._said: OrderedDict[str, bytes] = OrderedDict()

    async def send(self, target: Target, post: Post, key: str) -> str:
        """See `Platform.send`."""
        room = await self._rooms.place(target)
        await self._invitations.enter(room)
        files, notes = await self._uploaded(room, post.attachments)
        quotes, last = post.quotes, ""
        if post.text or post.plain or notes or not files:
            content = writing.worded(post, notes)
            related = writing.related(content, thread=target.thread_id, quotes=quotes)
            last = await self._put(room, _MESSAGE, related, writing.transaction(key))
            self._note(last, content)
            quotes = None
        for place, content in enumerate(files):
            related = writing.related(content, thread=target.thread_id, quotes=quotes)
            transaction = writing.transaction(key, f"file{place}")
            last = await self._put(room, _MESSAGE, related, transaction)
            quotes = None
        if self._typing.pop(room, 0.0) > time.monotonic():
            await self._show_typing(room, on=False)
        return last

    async def edit(self, target: Target, message_id: str, post: Post) -> None:
        """See `Platform.edit`. New files follow as messages of their own."""
        if not message_id.startswith("$"):
            raise MessageGone(f"{message_id[:60]!r} is no message of Matrix's.")
        room = await self._rooms.place(target)
        files, notes = await self._uploaded(room, post.attachments)
        content = writing.worded(post, notes)
        if self._said.get(message_id) != _print_of(content):
            whole = writing.replacing(content, message_id)
            try:
                await self._put(room, _MESSAGE, whole, uuid.uuid4().hex)
            except Refused as error:
                if error.status == 404 or "unknown event" in str(error):
                    raise MessageGone("The message does not exist any more.") from error
                raise
            self._note(message_id, content)
        for place, each in enumerate(files):
            related = writing.related(each, thread=target.thread_id, quotes=None)
            part = f"{place}.{each['info']['size']}.{each['body']}"
            await self._put(room, _MESSAGE, related, writing.transaction(message_id, part))

    async def react(self, target: Target, message_id: str, emoji: str) -> None:
        """See `Platform.react`: this one alone, or none."""
        room = await self._rooms.place(target)
        found = await self._client.call(
            "GET",
            *("rooms", room, "relations", message_id, "m.annotation", "m.reaction"),
            query={"limit": "100"},
            version="v1",
        )
        there = False
        for each in events(found, "chunk"):
            if text(each, "sender") != self._me:
                continue
            if text(each, "content", "m.relates_to", "key") == emoji and emoji:
                there = True
            else:
                await self._client.call(
                    "PUT", "rooms", room, "redact", text(each, "event_id"), uuid.uuid4().hex
                )
        if emoji and not there:
            relates = {"rel_type": "m.annotation", "event_id": message_id, "key": emoji}
            content: Json = {"m.relates_to": relates}
            await self._client.call(
                "PUT", "rooms", room, "send", "m.reaction", uuid.uuid4().hex, body=content
            )

    async def typing(self, target: Target) -> None:
        """See `Platform.typing`."""
        with contextlib.suppress(HermesError):
            room = await self._rooms.place(target)
            if await self._show_typing(room, on=True):
                self._typing[room] = time.monotonic() + TYPING

    async def read(self, room: str, event_id: str) -> None:
        """Show that we have read up to here. Raises nothing."""
        with contextlib.suppress(HermesError):
            await self._client.call(
                "POST", "rooms", room, "receipt", "m.read", event_id, silence=5.0
            )

    async def _show_typing(self, room: str, *, on: bool) -> bool:
        body: Json = {"typing": True, "timeout": int(TYPING * 1000)} if on else {"typing": False}
        try:
            await self._client.call(
                "PUT", "rooms", room, "typing", self._me, body=body, silence=5.0
            )
        except HermesError:
            return False
        return True

    async def _put(self, room: str, kind: str, content: Json, transaction: str) -> str:
        if self._sealing is not None:
            kind, content = await self._sealing.sealed(room, kind, content)
        answer = await self._client.call(
            "PUT", "rooms", room, "send", kind, transaction, body=content
        )
        return text(answer, "event_id")

    async def _uploaded(
        self, room: str, attachments: tuple[Attachment, ...]
    ) -> tuple[list[Json], list[str]]:
        """The contents of the files that were stored, and a line for each that cannot be sent."""
        files: list[Json] = []
        notes: list[str] = []
        for each in attachments:
            path = Path(each.path)
            name = display(each.name or path.name) or "file"
            try:
                size = (await asyncio.to_thread(path.stat)).st_size
                if size > await self._most():
                    notes.append(f"[the file {name} is too large for Matrix]")
                    continue
                where = await self._stored(room, path, size, each, name)
            except OSError as error:
                notes.append(f"[the file {name} cannot be sent: {error.strerror}]")
            except Refused as error:
                if error.status != 413:
                    raise
                notes.append(f"[the file {name} is too large for Matrix]")
            else:
                files.append(writing.filed(each, name, size, where))
        return files, notes

    async def _most(self) -> int:
        """Bytes that the homeserver takes: it breaks the connection where there are more."""
        if self._limit is None:
            try:
                told = await self._client.call("GET", "media", "config", version="v1")
            except Refused:
                told = {}
            self._limit = min(number(told, "m.upload.size") or self._max_file, self._max_file)
        return self._limit

    async def _stored(
        self, room: str, path: Path, size: int, attachment: Attachment, name: str
    ) -> Json:
        if self._sealing is not None:
            data = await asyncio.to_thread(path.read_bytes)
            locked = await self._sealing.locked(room, data)
            if locked is not None:
                sealed, keys = locked
                address = await self._client.upload(
                    _one(sealed), len(sealed), "application/octet-stream", ""
                )
                return {"file": keys | {"url": address}}
        kind = writing.media_type(attachment, name)
        return {"url": await self._client.upload(pieces(path), size, kind, name)}

    def _note(self, message_id: str, content: Json) -> None:
        self._said[message_id] = _print_of(content)
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)


async def _one(data: bytes):
    yield data


def _print_of(content: Json) -> bytes:
    words = f"{content['body']}\0{mapping(content).get('formatted_body', '')}"
    return hashlib.sha256(words.encode()).digest()
