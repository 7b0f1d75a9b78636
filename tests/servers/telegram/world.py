"""What the fake knows: people, chats, messages, files, and the queue of updates."""

import itertools
import threading
import time
from collections import deque
from typing import Any

from tests.servers.telegram.markup import cleaned, found_entities

Json = dict[str, Any]
MAX_PERSON_TEXT = 4096
DAY = 86_400


class ApiError(Exception):
    """An answer that is not ok."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


class World:
    """One bot's world. `changed` guards everything and tells when something happened."""

    def __init__(self, username: str = "hermes_test_bot", first_update: int = 10_000) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.me: Json = {
            "id": 4_242,
            "is_bot": True,
            "first_name": "Hermes",
            "username": username,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }
        self.chats: dict[int, Json] = {}
        self.messages: dict[int, list[Json]] = {}
        self.topics: dict[int, set[int]] = {}
        self.blocked: set[int] = set()
        self.moved: dict[int, int] = {}
        self.reactions: dict[tuple[int, int], list[str]] = {}
        self.actions: list[tuple[int, str]] = []
        self.commands: list[Json] = []
        self.callbacks: dict[str, Json | None] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.edits: list[tuple[int, int, str]] = []
        self.queue: deque[Json] = deque()
        self.allowed: list[str] = []
        self.webhook: Json | None = None
        self._people = itertools.count(1_001)
        self._groups = itertools.count(1)
        self._message_ids = itertools.count(1)
        self._update_ids = itertools.count(first_update)
        self._file_ids = itertools.count(1)
        self._callback_ids = itertools.count(7_000)

    # People and places

    def person(self, first_name: str, **fields: Any) -> Json:
        """A new user, with a private chat."""
        with self.changed:
            user: Json = {"id": next(self._people), "is_bot": False, "first_name": first_name}
            user |= fields
            self.chats[user["id"]] = {
                "id": user["id"],
                "type": "private",
                "first_name": first_name,
                **{key: fields[key] for key in ("username", "last_name") if key in fields},
            }
            self.messages[user["id"]] = []
            return user

    def group(self, title: str, *, kind: str = "supergroup", topics: bool = False) -> Json:
        """A new group, supergroup or channel that the bot is in."""
        with self.changed:
            number = next(self._groups)
            chat_id = -(1_000_000_000_000 + number) if kind != "group" else -number
            chat: Json = {"id": chat_id, "type": kind, "title": title}
            if topics:
                chat["is_forum"] = True
                self.topics[chat_id] = set()
            self.chats[chat_id] = chat
            self.messages[chat_id] = []
            return chat

    def topic(self, chat_id: int, name: str) -> int:
        """A new topic; its id is that of the message that made it."""
        with self.changed:
            made = self.message(
                chat_id,
                {"id": 1, "is_bot": False, "first_name": "Owner"},
                forum_topic_created={"name": name, "icon_color": 7_322_096},
                is_topic_message=True,
            )
            made["message_thread_id"] = made["message_id"]
            self.topics[chat_id].add(made["message_id"])
            return made["message_id"]

    # Messages

    def message(self, chat_id: int, sender: Json | None, **fields: Any) -> Json:
        """A message in a chat, without an update."""
        with self.changed:
            made: Json = {
                "message_id": next(self._message_ids),
                "date": int(time.time()),
                "chat": self.chats[chat_id],
                **({"from": sender} if sender is not None else {}),
                **fields,
            }
            self.messages[chat_id].append(made)
            self.changed.notify_all()
            return made

    def say(self, sender: Json, text: str, chat_id: int | None = None, **fields: Any) -> Json:
        """A person writes; returns the update. `fields` are further ones of the message."""
        text = cleaned(text[:MAX_PERSON_TEXT])
        fields.setdefault("entities", found_entities(text))
        if not fields["entities"]:
            del fields["entities"]
        if text:
            fields["text"] = text
        return self.send(sender, chat_id, **fields)

    def send(self, sender: Json, chat_id: int | None = None, **fields: Any) -> Json:
        """A person sends a message of any kind; returns the update."""
        where = sender["id"] if chat_id is None else chat_id
        kind = "channel_post" if self.chats[where]["type"] == "channel" else "message"
        if kind == "channel_post":
            fields["sender_chat"] = self.chats[where]
        with self.changed:
            author = sender if kind == "message" else None
            return self.update(kind, self.message(where, author, **fields))

    def send_file(
        self,
        sender: Json,
        kind: str,
        name: str | None,
        data: bytes,
        chat_id: int | None = None,
        *,
        caption: str = "",
        **fields: Any,
    ) -> Json:
        """A person sends a file: `kind` is the field's name, such as document or voice."""
        described = self.file(kind, name, data, fields.pop("media_type", None))
        if caption:
            fields["caption"] = cleaned(caption)
            if found := found_entities(fields["caption"]):
                fields["caption_entities"] = found
        value = [described | {"width": 90, "height": 90}] if kind == "photo" else described
        return self.send(sender, chat_id, **{kind: value}, **fields)

    def file(self, kind: str, name: str | None, data: bytes, media_type: str | None = None) -> Json:
        """Keep a file; returns its description as the messages hold it."""
        with self.changed:
            number = next(self._file_ids)
        suffix = {"photo": ".jpg", "voice": ".oga", "video": ".mp4", "sticker": ".webp"}
        file_id = f"FILE-{number}"
        self.files[file_id] = (f"{kind}s/file_{number}{suffix.get(kind, '')}", data)
        described: Json = {
            "file_id": file_id,
            "file_unique_id": f"U{number}",
            "file_size": len(data),
        }
        if name is not None and kind in ("document", "audio", "video", "animation"):
            described["file_name"] = name
        if media_type is not None and kind in ("document", "audio", "video", "animation", "voice"):
            described["mime_type"] = media_type
        if kind in ("voice", "audio", "video", "video_note", "animation"):
            described["duration"] = 3
        if kind in ("video", "animation", "sticker"):
            described |= {"width": 64, "height": 64}
        if kind == "video_note":
            described["length"] = 64
        if kind == "sticker":
            described |= {"type": "regular", "is_animated": False, "is_video": False, "emoji": "🙂"}
        return described

    def press(self, sender: Json, chat_id: int, message_id: int, label: str) -> Json:
        """A person presses a button; returns the update."""
        with self.changed:
            message = self.find(chat_id, message_id)
            rows = message["reply_markup"]["inline_keyboard"]
            button = next(each for row in rows for each in row if each["text"] == label)
            callback_id = str(next(self._callback_ids))
            self.callbacks[callback_id] = None
            query = {
                "id": callback_id,
                "from": sender,
                "message": message,
                "chat_instance": "1",
                "data": button["callback_data"],
            }
            return self.update("callback_query", query)

    def update(self, kind: str, value: Json) -> Json:
        """Queue an update, if the bot wants its kind."""
        with self.changed:
            made = {"update_id": next(self._update_ids), kind: value}
            if not self.allowed or kind in self.allowed:
                self.push(made)
            return made

    def push(self, update: Json) -> None:
        """Queue an update as it is."""
        with self.changed:
            self.queue.append(update)
            self.changed.notify_all()

    def find(self, chat_id: int, message_id: int) -> Json:
        """A message. Raises `StopIteration`."""
        return next(each for each in self.messages[chat_id] if each["message_id"] == message_id)

    def seen(self, chat_id: int) -> list[Json]:
        """The bot's messages in a chat, oldest first."""
        with self.changed:
            mine = self.me["id"]
            return [
                dict(each)
                for each in self.messages[chat_id]
                if each.get("from", {}).get("id") == mine
            ]

    def data(self, message: Json) -> list[tuple[str, str, bytes]]:
        """The files of a message: kind, name, bytes."""
        found: list[tuple[str, str, bytes]] = []
        for kind in ("photo", "document", "voice", "audio", "video", "animation", "sticker"):
            if kind in message and not (kind == "document" and "animation" in message):
                value = message[kind][-1] if kind == "photo" else message[kind]
                found.append((kind, value.get("file_name", ""), self.files[value["file_id"]][1]))
        return found
