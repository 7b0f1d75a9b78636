"""What we read of the Bot API's objects: https://core.telegram.org/bots/api#available-types.

Unknown fields are passed over, and everything that is not always there has a default: Telegram
adds to these objects several times a year.
"""

import json
from typing import TypeVar

import msgspec

_T = TypeVar("_T")

Raw = msgspec.Raw


class Parameters(msgspec.Struct, frozen=True):
    """Why a request was not successful."""

    retry_after: float | None = None
    migrate_to_chat_id: int | None = None


class Answer(msgspec.Struct, frozen=True):
    """The envelope of every answer."""

    ok: bool
    result: Raw = Raw()
    description: str = ""
    error_code: int = 0
    parameters: Parameters | None = None


class User(msgspec.Struct, frozen=True):
    """A person or a bot."""

    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""

    @property
    def name(self) -> str:
        """For people to read."""
        return f"{self.first_name} {self.last_name}".strip() or self.username


class Chat(msgspec.Struct, frozen=True):
    """Where a message stands."""

    id: int
    type: str = "private"
    title: str = ""
    first_name: str = ""
    username: str = ""


class Entity(msgspec.Struct, frozen=True):
    """A part of a text that means something; `offset` and `length` count UTF-16 code units."""

    type: str
    offset: int
    length: int
    user: User | None = None


class File(msgspec.Struct, frozen=True):
    """Photo size, document, voice and all the others: what they have in common."""

    file_id: str
    file_size: int = 0
    file_name: str = ""
    mime_type: str = ""
    width: int = 0
    height: int = 0
    emoji: str = ""
    is_animated: bool = False
    is_video: bool = False


class Contact(msgspec.Struct, frozen=True):
    """A shared contact."""

    phone_number: str = ""
    first_name: str = ""
    last_name: str = ""


class Location(msgspec.Struct, frozen=True):
    """A point on the map."""

    latitude: float
    longitude: float


class Venue(msgspec.Struct, frozen=True):
    """A place with a name."""

    title: str = ""
    address: str = ""


class PollOption(msgspec.Struct, frozen=True):
    """One answer of a poll."""

    text: str = ""


class Poll(msgspec.Struct, frozen=True):
    """A question to a group."""

    question: str = ""
    options: tuple[PollOption, ...] = ()


class Dice(msgspec.Struct, frozen=True):
    """An animated emoji with a value."""

    emoji: str = ""
    value: int = 0


class TopicCreated(msgspec.Struct, frozen=True):
    """The message that began a topic; Telegram shows every message in it as a reply to this."""


class Quote(msgspec.Struct, frozen=True):
    """The part of a message that is replied to."""

    text: str = ""


class ForwardOrigin(msgspec.Struct, frozen=True):
    """Where a forwarded message was written."""

    sender_user: User | None = None
    sender_user_name: str = ""
    sender_chat: Chat | None = None
    chat: Chat | None = None

    @property
    def name(self) -> str:
        """For people to read."""
        if self.sender_user is not None:
            return self.sender_user.name
        place = self.sender_chat or self.chat
        return self.sender_user_name or (place.title if place else "") or "someone"


class ExternalReply(msgspec.Struct, frozen=True):
    """A reply to a message of another chat."""

    origin: ForwardOrigin | None = None


class Message(msgspec.Struct, frozen=True):
    """A message. `from_` is missing in channels; `date` 0 stands for one that is out of reach."""

    message_id: int
    chat: Chat
    date: int = 0
    from_: User | None = msgspec.field(default=None, name="from")
    sender_chat: Chat | None = None
    message_thread_id: int | None = None
    is_topic_message: bool = False
    text: str = ""
    entities: tuple[Entity, ...] = ()
    caption: str = ""
    caption_entities: tuple[Entity, ...] = ()
    media_group_id: str = ""
    reply_to_message: "Message | None" = None
    quote: Quote | None = None
    external_reply: ExternalReply | None = None
    forward_origin: ForwardOrigin | None = None
    photo: tuple[File, ...] = ()
    document: File | None = None
    voice: File | None = None
    audio: File | None = None
    video: File | None = None
    video_note: File | None = None
    animation: File | None = None
    sticker: File | None = None
    contact: Contact | None = None
    location: Location | None = None
    venue: Venue | None = None
    poll: Poll | None = None
    dice: Dice | None = None
    forum_topic_created: TopicCreated | None = None
    migrate_to_chat_id: int | None = None


class CallbackQuery(msgspec.Struct, frozen=True):
    """A pressed button."""

    id: str
    from_: User = msgspec.field(name="from")
    message: Message | None = None
    data: str | None = None


class Member(msgspec.Struct, frozen=True):
    """How somebody stands in a chat."""

    status: str = ""


class MemberUpdated(msgspec.Struct, frozen=True):
    """We were added, made an administrator, blocked, thrown out."""

    chat: Chat
    new_chat_member: Member


class Update(msgspec.Struct, frozen=True):
    """Something that happened; at most one of the fields is there."""

    update_id: int
    message: Message | None = None
    channel_post: Message | None = None
    callback_query: CallbackQuery | None = None
    my_chat_member: MemberUpdated | None = None


class Numbered(msgspec.Struct, frozen=True):
    """What is left of an update that cannot be read."""

    update_id: int


class Me(msgspec.Struct, frozen=True):
    """Ourselves."""

    id: int
    username: str


class FilePath(msgspec.Struct, frozen=True):
    """Where a file can be fetched."""

    file_path: str = ""
    file_size: int = 0


class Sent(msgspec.Struct, frozen=True):
    """A message of ours."""

    message_id: int


def decoded(body: bytes, kind: type[_T]) -> _T:
    """Decode a body. One that holds half a letter (a lone UTF-16 surrogate), which msgspec refuses
    as a whole, is read with `?` in its place. Raises `DecodeError`, also for a bottomless one."""
    try:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            if b"\\ud" not in body.lower():
                raise
        text = json.dumps(json.loads(body), ensure_ascii=False)
        return msgspec.json.decode(text.encode("utf-8", "replace"), type=kind)
    except msgspec.DecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise msgspec.DecodeError(f"This is no JSON: {error}") from error


ALLOWED = ("message", "channel_post", "callback_query", "my_chat_member")
"""The kinds of updates that we ask for. What was edited afterwards is not read again."""
