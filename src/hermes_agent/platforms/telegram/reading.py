"""From an update to what was said, by whom and where. Pure: nothing is fetched here."""

import re
from collections.abc import Sequence

import msgspec

from hermes_agent.domain.chats import ChatType, MediaKind, Origin
from hermes_agent.platforms.telegram.configuration import Configuration
from hermes_agent.platforms.telegram.entities import Span, Text, command, mentions
from hermes_agent.platforms.telegram.wire import CallbackQuery, Chat, File, Me, Message

MAX_QUOTED = 4_000
_MIME = re.compile(r"[A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,100}")

_TYPES: dict[str, ChatType] = {
    "private": "dm",
    "group": "group",
    "supergroup": "group",
    "channel": "channel",
}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is to be fetched; `word` names it for people."""

    kind: MediaKind
    word: str
    file: File
    media_type: str


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """A message before its files are fetched."""

    origin: Origin
    text: str
    addressed: bool
    message_id: str
    quoted: str = ""
    wanted: tuple[Wanted, ...] = ()
    extra: dict[str, str] = {}

    @property
    def empty(self) -> bool:
        """A service message: nothing was said."""
        return not (self.text or self.wanted or (self.quoted and self.addressed))


class Reader:
    """Reads for one bot."""

    def __init__(self, me: Me, configuration: Configuration) -> None:
        self._me = me
        self._configuration = configuration

    def message(self, message: Message) -> Heard | None:
        """What was said; None for what other bots, we ourselves or Telegram write."""
        origin = self._origin(message)
        if origin is None:
            return None
        text, addressed = self._text(message, private=origin.chat_type == "dm")
        lines = [*_forwarded(message), *([text] if text else []), *_described(message)]
        heard = Heard(
            origin=origin,
            text="\n".join(lines),
            addressed=addressed,
            message_id=str(message.message_id),
            quoted=_quoted(message),
            wanted=_files(message),
            extra={"media_group_id": message.media_group_id} if message.media_group_id else {},
        )
        return None if heard.empty else heard

    def press(self, query: CallbackQuery) -> Origin | None:
        """Who pressed where; None when the button's message is not known any more."""
        message = query.message
        if message is None or query.data is None or query.from_.is_bot:
            return None
        return _place(message, str(query.from_.id), query.from_.name)

    def _origin(self, message: Message) -> Origin | None:
        sender, chat = message.from_, message.sender_chat
        if sender is not None and sender.id == self._me.id:
            return None
        if chat is not None:
            # A channel, or an administrator who speaks as the group.
            return _place(message, str(chat.id), chat.title)
        if sender is None or sender.is_bot:
            return None
        return _place(message, str(sender.id), sender.name)

    def _text(self, message: Message, *, private: bool) -> tuple[str, bool]:
        """The text without our name, and whether it is meant for us."""
        source = message.text or message.caption
        entities = message.entities if message.text else message.caption_entities
        text = Text(source)
        ordered, name = command(text, entities, self._me.username)
        cut: list[Span] = [name] if name is not None else []
        called = [] if private else mentions(text, entities, self._me.username, self._me.id)
        cut += called
        addressed = (
            private
            or (message.forward_origin is None and (bool(called) or ordered))
            or self._answers_us(message)
            or not self._configuration.require_mention
            or str(message.chat.id) in self._configuration.free_chats
        )
        return (text.without(cut) if cut else source), addressed

    def _answers_us(self, message: Message) -> bool:
        replied = message.reply_to_message
        if replied is None or replied.forum_topic_created is not None:
            return False
        return replied.from_ is not None and replied.from_.id == self._me.id


def _place(message: Message, user_id: str, user_name: str) -> Origin:
    chat = message.chat
    in_topic = message.is_topic_message and message.message_thread_id is not None
    return Origin(
        platform="telegram",
        chat_id=str(chat.id),
        chat_type=_TYPES.get(chat.type, "group"),
        user_id=user_id,
        thread_id=str(message.message_thread_id) if in_topic else None,
        user_name=user_name,
        chat_name=_name(chat),
    )


def _name(chat: Chat) -> str:
    return chat.title or chat.first_name


def _quoted(message: Message) -> str:
    if message.quote is not None and message.quote.text:
        return message.quote.text[:MAX_QUOTED]
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created is not None:
        return ""
    said = replied.text or replied.caption or "\n".join(_described(replied))
    return said[:MAX_QUOTED] or "".join(f"[{each.word}]" for each in _files(replied))


def _forwarded(message: Message) -> list[str]:
    """A forwarded text is not the sender's own word, and never a command."""
    if message.forward_origin is None:
        return []
    return [f"[forwarded from {' '.join(message.forward_origin.name.split())}]"]


def _described(message: Message) -> list[str]:
    """What has no file, as a line of text."""
    found: list[str] = []
    if message.venue is not None:
        found.append(f"[venue: {message.venue.title}, {message.venue.address}]")
    if message.location is not None:
        found.append(f"[location: {message.location.latitude}, {message.location.longitude}]")
    if message.contact is not None:
        contact = message.contact
        name = f"{contact.first_name} {contact.last_name}".strip()
        found.append(f"[contact: {name}, {contact.phone_number}]")
    if message.poll is not None:
        options = " | ".join(each.text for each in message.poll.options)
        found.append(f"[poll: {message.poll.question} | {options}]")
    if message.dice is not None:
        found.append(f"[{message.dice.emoji} {message.dice.value}]")
    if message.sticker is not None and message.sticker.emoji:
        found.append(f"[sticker {message.sticker.emoji}]")
    return found


def _files(message: Message) -> tuple[Wanted, ...]:
    found: list[Wanted] = []

    def add(kind: MediaKind, word: str, file: File | None, media_type: str) -> None:
        if file is not None:
            found.append(
                Wanted(
                    kind=kind,
                    word=word,
                    file=file,
                    media_type=file.mime_type if _MIME.fullmatch(file.mime_type) else media_type,
                )
            )

    add("image", "photo", _largest(message.photo), "image/jpeg")
    add("voice", "voice message", message.voice, "audio/ogg")
    add("audio", "audio", message.audio, "audio/mpeg")
    add("video", "video", message.video, "video/mp4")
    add("video", "video message", message.video_note, "video/mp4")
    add("video", "animation", message.animation, "video/mp4")
    add("sticker", "sticker", message.sticker, _sticker_type(message.sticker))
    if message.animation is None:
        # An animation also stands here, for clients that know none.
        add("document", "document", message.document, "application/octet-stream")
    return tuple(found)


def _largest(sizes: Sequence[File]) -> File | None:
    return max(sizes, key=lambda each: (each.width * each.height, each.file_size), default=None)


def _sticker_type(sticker: File | None) -> str:
    if sticker is not None and sticker.is_animated:
        return "application/x-tgsticker"
    return "video/webm" if sticker is not None and sticker.is_video else "image/webp"
