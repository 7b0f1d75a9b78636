"""The methods of the Bot API that bots like ours call, with the server's own refusals."""

import time
from collections.abc import Callable
from typing import Any

from tests.servers.telegram.forms import Upload
from tests.servers.telegram.markup import Unparsable, cleaned, read_html, units
from tests.servers.telegram.world import ApiError, Json, World

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_CALLBACK = 64
MAX_DOWNLOAD = 20_000_000
REACTIONS = frozenset(
    "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡"
)
ACTIONS = frozenset(("typing", "upload_photo", "record_voice", "upload_document", "upload_voice"))


class Methods:
    """Answers calls. Every refusal is an `ApiError`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def find(self, name: str) -> Callable[[Json], Any]:
        """The method of this name; names are case-insensitive."""
        for each in dir(type(self)):
            if each.startswith("on_") and each[3:].replace("_", "") == name.lower():
                return getattr(self, each)
        raise ApiError(404, "Not Found: method not found")

    # The bot itself

    def on_get_me(self, given: Json) -> Json:
        return self._world.me

    def on_set_my_commands(self, given: Json) -> bool:
        for each in given.get("commands", ()):
            name, about = each["command"], each["description"]
            if not (1 <= len(name) <= 32 and name.replace("_", "a").isalnum() and name.islower()):
                raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(about) <= 256:
                raise ApiError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        if len(given["commands"]) > 100:
            raise ApiError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        self._world.commands = given["commands"]
        return True

    def on_get_my_commands(self, given: Json) -> list[Json]:
        return self._world.commands

    def on_set_webhook(self, given: Json) -> bool:
        url = given.get("url", "")
        self._world.webhook = given if url else None
        self._world.allowed = given.get("allowed_updates", self._world.allowed)
        return True

    def on_delete_webhook(self, given: Json) -> bool:
        self._world.webhook = None
        return True

    def on_get_webhook_info(self, given: Json) -> Json:
        hook = self._world.webhook or {}
        return {
            "url": hook.get("url", ""),
            "has_custom_certificate": False,
            "pending_update_count": len(self._world.queue),
        }

    # Messages

    def on_send_message(self, given: Json) -> Json:
        text, entities = _formatted(given, "text", MAX_TEXT, "message is too long")
        if not text:
            raise ApiError(400, "Bad Request: message text is empty")
        return self._post(given, text=text, **({"entities": entities} if entities else {}))

    def on_send_photo(self, given: Json) -> Json:
        upload = _upload(given, "photo")
        if not upload.data.startswith((b"\x89PNG", b"\xff\xd8", b"RIFF")):
            raise ApiError(400, "Bad Request: IMAGE_PROCESS_FAILED")
        kept = self._world.file("photo", None, upload.data)
        return self._post(given, photo=[kept | {"width": 90, "height": 90}], **_caption(given))

    def on_send_document(self, given: Json) -> Json:
        return self._send_file(given, "document")

    def on_send_voice(self, given: Json) -> Json:
        return self._send_file(given, "voice")

    def on_send_audio(self, given: Json) -> Json:
        return self._send_file(given, "audio")

    def on_send_video(self, given: Json) -> Json:
        return self._send_file(given, "video")

    def on_send_animation(self, given: Json) -> Json:
        return self._send_file(given, "animation")

    def on_send_sticker(self, given: Json) -> Json:
        return self._send_file(given, "sticker")

    def on_send_media_group(self, given: Json) -> list[Json]:
        media = given["media"]
        if not 2 <= len(media) <= 10:
            raise ApiError(400, "Bad Request: number of media in the album must be from 2 to 10")
        made: list[Json] = []
        album = str(time.monotonic_ns())
        for each in media:
            part = given | each | {each["type"]: given[each["media"].removeprefix("attach://")]}
            made.append(self.find(f"send{each['type']}")(part))
            made[-1]["media_group_id"] = album
        return made

    def on_edit_message_text(self, given: Json) -> Json:
        text, entities = _formatted(given, "text", MAX_TEXT, "message is too long")
        message = self._mine(given, "edit")
        keyboard = given.get("reply_markup")
        if "text" not in message:
            raise ApiError(400, "Bad Request: there is no text in the message to edit")
        if not text:
            raise ApiError(400, "Bad Request: message text is empty")
        before = (message["text"], message.get("entities", []), message.get("reply_markup"))
        if before == (text, entities, keyboard):
            raise ApiError(
                400,
                "Bad Request: message is not modified: specified new message content and reply "
                "markup are exactly the same as a current content and reply markup of the message",
            )
        message |= {"text": text, "entities": entities, "edit_date": int(time.time())}
        message.pop("reply_markup", None)
        if keyboard is not None:
            message["reply_markup"] = _keyboard(keyboard)
        self._world.edits.append((message["chat"]["id"], message["message_id"], text))
        return message

    def on_edit_message_reply_markup(self, given: Json) -> Json:
        message = self._mine(given, "edit")
        message.pop("reply_markup", None)
        if "reply_markup" in given:
            message["reply_markup"] = _keyboard(given["reply_markup"])
        return message

    def on_delete_message(self, given: Json) -> bool:
        message = self._mine(given, "delete")
        self._world.messages[message["chat"]["id"]].remove(message)
        return True

    def on_send_chat_action(self, given: Json) -> bool:
        chat = self._chat(given)
        if given["action"] not in ACTIONS:
            raise ApiError(400, "Bad Request: wrong parameter action in request")
        self._world.actions.append((chat["id"], given["action"]))
        return True

    def on_set_message_reaction(self, given: Json) -> bool:
        chat = self._chat(given)
        wanted = [each.get("emoji", "") for each in given.get("reaction") or ()]
        if not all(each in REACTIONS for each in wanted) or len(wanted) > 1:
            raise ApiError(400, "Bad Request: REACTION_INVALID")
        message_id = int(given["message_id"])
        if all(each["message_id"] != message_id for each in self._world.messages[chat["id"]]):
            raise ApiError(400, "Bad Request: message to react not found")
        self._world.reactions[chat["id"], message_id] = wanted
        return True

    def on_answer_callback_query(self, given: Json) -> bool:
        if given["callback_query_id"] not in self._world.callbacks:
            raise ApiError(
                400,
                "Bad Request: query is too old and response timeout expired or query ID is invalid",
            )
        self._world.callbacks[given["callback_query_id"]] = given
        return True

    def on_get_file(self, given: Json) -> Json:
        kept = self._world.files.get(str(given.get("file_id")))
        if kept is None:
            raise ApiError(400, "Bad Request: invalid file_id")
        path, data = kept
        if len(data) > MAX_DOWNLOAD:
            raise ApiError(400, "Bad Request: file is too big")
        return {
            "file_id": given["file_id"],
            "file_unique_id": f"U-{given['file_id']}",
            "file_size": len(data),
            "file_path": path,
        }

    # What they share

    def _chat(self, given: Json) -> Json:
        world = self._world
        chat_id = given.get("chat_id")
        if chat_id in world.moved:
            raise ApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=world.moved[chat_id],
            )
        chat = world.chats.get(chat_id) if isinstance(chat_id, int) else None
        if chat is None:
            raise ApiError(400, "Bad Request: chat not found")
        if chat_id in world.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        return chat

    def _post(self, given: Json, **content: Any) -> Json:
        chat = self._chat(given)
        fields = dict(content)
        thread = given.get("message_thread_id")
        if thread is not None:
            if thread not in self._world.topics.get(chat["id"], ()):
                raise ApiError(400, "Bad Request: message thread not found")
            fields |= {"message_thread_id": thread, "is_topic_message": True}
        reply = given.get("reply_parameters")
        if reply:
            try:
                fields["reply_to_message"] = self._world.find(chat["id"], reply["message_id"])
            except StopIteration:
                if not reply.get("allow_sending_without_reply"):
                    raise ApiError(400, "Bad Request: message to be replied not found") from None
        if given.get("reply_markup"):
            fields["reply_markup"] = _keyboard(given["reply_markup"])
        if given.get("link_preview_options"):
            fields["link_preview_options"] = given["link_preview_options"]
        return self._world.message(chat["id"], self._world.me, **fields)

    def _send_file(self, given: Json, kind: str) -> Json:
        upload = _upload(given, kind)
        kept = self._world.file(kind, upload.name, upload.data, upload.media_type)
        return self._post(given, **{kind: kept}, **_caption(given))

    def _mine(self, given: Json, verb: str) -> Json:
        chat = self._chat(given)
        try:
            message = self._world.find(chat["id"], int(given["message_id"]))
        except StopIteration:
            raise ApiError(400, f"Bad Request: message to {verb} not found") from None
        if message.get("from", {}).get("id") != self._world.me["id"]:
            raise ApiError(400, f"Bad Request: message can't be {verb}ed")
        return message


def _formatted(given: Json, name: str, limit: int, refusal: str) -> tuple[str, list[Json]]:
    text = given.get(name) or ""
    if not isinstance(text, str):
        raise ApiError(400, f'Bad Request: field "{name}" must be of type String')
    entities: list[Json] = []
    if given.get("parse_mode") == "HTML":
        try:
            text, entities = read_html(text)
        except Unparsable as error:
            raise ApiError(400, f"Bad Request: can't parse entities: {error}") from error
    if units(text) > limit:
        raise ApiError(400, f"Bad Request: {refusal}")
    return cleaned(text), entities


def _caption(given: Json) -> Json:
    text, entities = _formatted(given, "caption", MAX_CAPTION, "message caption is too long")
    found: Json = {"caption": text} if text else {}
    return found | ({"caption_entities": entities} if entities else {})


def _upload(given: Json, name: str) -> Upload:
    value = given.get(name)
    if isinstance(value, str) and value.startswith("attach://"):
        value = given.get(value.removeprefix("attach://"))
    if not isinstance(value, Upload):
        raise ApiError(400, f"Bad Request: there is no {name} in the request")
    if not value.data:
        raise ApiError(400, "Bad Request: file must be non-empty")
    return value


def _keyboard(markup: Json) -> Json:
    for row in markup["inline_keyboard"]:
        for button in row:
            if not button["text"]:
                raise ApiError(400, "Bad Request: inline keyboard button text is empty")
            if not 1 <= len(button.get("callback_data", "").encode()) <= MAX_CALLBACK:
                raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
    return markup
