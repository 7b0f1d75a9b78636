"""What an event says, and whether it is meant for us.

https://spec.matrix.org/latest/client-server-api/#mroommessage-msgtypes
"""

import re
from html import unescape
from urllib.parse import unquote

import msgspec

from hermes_agent.domain.chats import MediaKind
from hermes_agent.platforms.matrix.fields import Json, items, mapping, number, text

MAX_QUOTED = 2000
RELATES = "m.relates_to"
_MEDIA: dict[str, MediaKind] = {
    "m.image": "image",
    "m.audio": "audio",
    "m.video": "video",
    "m.file": "document",
}
_LINK = re.compile(
    r"<a\b[^>]{0,200}?\shref\s{0,5}=\s{0,5}(?:\"([^\"]{1,500})\"|'([^']{1,500})')", re.I
)
"""A link as Matrix's own HTML has it. The library's parser of HTML raises for some that is none."""
_PEOPLE = (("https://matrix.to/#/@", "@"), ("matrix:u/", "@"))
_VOICE = ("org.matrix.msc3245.voice", "m.voice")


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a message names. `address` is `mxc://server/id`; `lock` is how it is encrypted,
    if it is. `size` and `media_type` are what the sender says."""

    kind: MediaKind
    address: str
    name: str
    media_type: str = ""
    size: int = 0
    lock: Json = msgspec.field(default_factory=dict[str, object])


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message of somebody's. `replies_to` is the event that it answers, `quotes` whether it was
    written as an answer to it. `thread` is the first event of its thread."""

    id: str
    sender: str
    sent_at: float
    text: str
    content: Json
    thread: str | None = None
    replies_to: str | None = None
    quotes: bool = False
    fallback: str = ""
    media: Media | None = None


def message_in(event: Json) -> Message | None:
    """What a person says, or None: for notices of other programs, changes of earlier messages, and
    whatever is not meant to be read."""
    content = mapping(event, "content")
    kind = text(content, "msgtype")
    relates = mapping(content, RELATES)
    if text(event, "type") == "m.sticker":
        kind = "m.sticker"
    elif text(event, "type") != "m.room.message" or kind == "m.notice" or not kind:
        return None
    if text(relates, "rel_type") == "m.replace" or kind.startswith("m.key."):
        return None
    replies_to = text(relates, "m.in_reply_to", "event_id") or None
    thread = text(relates, "event_id") if text(relates, "rel_type") == "m.thread" else ""
    body, fallback = text(content, "body"), ""
    if replies_to:
        body, fallback = without_fallback(body)
    media = _media(content, kind)
    if media is not None:
        # A file's body is a caption where the name stands elsewhere.
        named = text(content, "filename")
        body = body if named and named != body else ""
    elif kind == "m.location":
        body = f"{body}\n{text(content, 'geo_uri')}".strip()
    return Message(
        id=text(event, "event_id"),
        sender=text(event, "sender"),
        sent_at=number(event, "origin_server_ts") / 1000,
        text=body,
        content=content,
        thread=thread or None,
        replies_to=replies_to,
        quotes=bool(replies_to) and not (thread and relates.get("is_falling_back") is True),
        fallback=fallback,
        media=media,
    )


def without_fallback(body: str) -> tuple[str, str]:
    """The text without the quote that clients put before an answer until version 1.13 of the
    specification, and that quote: `> <@who:server> text`."""
    if not body.startswith("> <@") and not body.startswith("> * <@"):
        return body, ""
    lines = body.split("\n")
    count = next((n for n, line in enumerate(lines) if not line.startswith(">")), len(lines))
    quoted = "\n".join(line[1:].removeprefix(" ") for line in lines[:count])
    quoted = re.sub(r"^(\* )?<@[^>]*> ?", "", quoted)
    rest = lines[count + 1 :] if count < len(lines) and not lines[count] else lines[count:]
    return "\n".join(rest), quoted[:MAX_QUOTED]


def quoted_of(event: Json) -> str:
    """The text of an event that was answered, as it stands now."""
    newer = mapping(event, "unsigned", "m.relations", "m.replace", "content", "m.new_content")
    content = newer or mapping(event, "content")
    body, _ = without_fallback(text(content, "body"))
    return body[:MAX_QUOTED]


def names(content: Json, body: str, me: str, name: str) -> bool:
    """Whether we are named: in `m.mentions`, by a pill, or in words."""
    if me in items(content, "m.mentions", "user_ids"):
        return True
    if me in pills(text(content, "formatted_body")):
        return True
    return bool(_called(me, name).search(body))


def without_name(body: str, me: str, name: str) -> str:
    """The text without our name at its beginning."""
    found = _called(me, name).match(body)
    return body[found.end() :].lstrip() if found else body


def pills(html: str) -> set[str]:
    """The users that links to matrix.to or `matrix:` name."""
    if "matrix" not in html:
        return set()
    links = (unquote(unescape(found[1] or found[2])) for found in _LINK.finditer(html))
    return {
        sigil + link[len(begin) :].partition("?")[0]
        for link in links
        for begin, sigil in _PEOPLE
        if link.startswith(begin)
    }


def _called(me: str, name: str) -> "re.Pattern[str]":
    """Our id or `@name` anywhere, or our name with a comma or colon at the beginning."""
    local = me[1:].partition(":")[0]
    longest_first = sorted({local, name} - {""}, key=len, reverse=True)
    words = "|".join(map(re.escape, longest_first))
    return re.compile(
        rf"(?<![\w@]){re.escape(me)}(?!\w|[.:-]\w):?"
        rf"|^\s*(?:{words})[:,]|^\s*@(?:{words})[:,](?!\w)"
        rf"|(?<!\w)@(?:{words})(?![\w:]|[.-]\w)",
        re.IGNORECASE,
    )


def _media(content: Json, kind: str) -> Media | None:
    lock = mapping(content, "file")
    address = text(lock, "url") or text(content, "url")
    shown = "sticker" if kind == "m.sticker" else _MEDIA.get(kind)
    if shown is None or not address:
        return None
    if shown == "audio" and any(each in content for each in _VOICE):
        shown = "voice"
    body = text(content, "body")
    return Media(
        kind=shown,
        address=address,
        name=text(content, "filename") or body or kind.removeprefix("m."),
        media_type=text(content, "info", "mimetype"),
        size=number(content, "info", "size"),
        lock=lock,
    )
