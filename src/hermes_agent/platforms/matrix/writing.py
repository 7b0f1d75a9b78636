"""The contents of our events.

https://spec.matrix.org/latest/client-server-api/#instant-messaging
"""

import hashlib
import mimetypes
import re

import msgspec

from hermes_agent.domain.chats import Attachment, Post
from hermes_agent.platforms.matrix.fields import Json

MAX_CONTENT = 40_000
"""Bytes, such that the whole event, encrypted even, stays below 65,536."""

_KINDS = {"image": "m.image", "sticker": "m.image", "voice": "m.audio", "audio": "m.audio"}
_PLAIN_KEY = re.compile(r"[A-Za-z0-9._-]{1,100}")


def transaction(key: str, part: str = "") -> str:
    """The key of a message as an id of a transaction, which may not hold everything."""
    whole = f"{key}.{part}" if part else key
    if _PLAIN_KEY.fullmatch(whole):
        return whole
    return hashlib.sha256(whole.encode(errors="replace")).hexdigest()


def worded(post: Post, notes: list[str]) -> Json:
    """The text of a post, with a line for each file that could not go with it."""
    body = _with(post.plain or post.text, notes, "\n")
    content: Json = {"msgtype": "m.text", "body": body, "m.mentions": {}}
    if post.text and post.text != post.plain:
        content["format"] = "org.matrix.custom.html"
        content["formatted_body"] = _with(post.text, [_escaped(note) for note in notes], "<br>")
    return _fitted(content)


def related(content: Json, *, thread: str | None, quotes: str | None) -> Json:
    """The same as an answer, or in a thread."""
    relates: Json = {}
    if quotes:
        relates["m.in_reply_to"] = {"event_id": quotes}
    if thread:
        relates["rel_type"] = "m.thread"
        relates["event_id"] = thread
        # Clients without threads show it as an answer to this.
        relates["is_falling_back"] = not quotes
        relates.setdefault("m.in_reply_to", {"event_id": thread})
    return content | {"m.relates_to": relates} if relates else content


def replacing(content: Json, message_id: str) -> Json:
    """A new text for an earlier message. Clients without edits show it after an asterisk."""
    shown = content | {"body": f"* {content['body']}"}
    if "formatted_body" in content:
        shown["formatted_body"] = f"* {content['formatted_body']}"
    whole = shown | {
        "m.new_content": content,
        "m.relates_to": {"rel_type": "m.replace", "event_id": message_id},
    }
    if _size(whole) > MAX_CONTENT:
        whole["body"] = f"* {content['body'][:200]}"
        whole.pop("formatted_body", None)
        whole.pop("format", None)
    return whole


def filed(attachment: Attachment, name: str, size: int, where: Json) -> Json:
    """A file that was stored at `where`: a `url`, or an encrypted `file`."""
    content: Json = {
        "msgtype": _KINDS.get(attachment.kind, "m.video" if _is_video(attachment) else "m.file"),
        "body": name,
        "filename": name,
        "info": {"mimetype": media_type(attachment, name), "size": size},
        "m.mentions": {},
        **where,
    }
    if attachment.kind == "voice":
        content["org.matrix.msc3245.voice"] = {}
    return content


def media_type(attachment: Attachment, name: str) -> str:
    """Its type, guessed from the name where it is not known."""
    return attachment.media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _is_video(attachment: Attachment) -> bool:
    return attachment.kind == "video"


def _with(text: str, notes: list[str], between: str) -> str:
    whole = between.join(([text] if text else []) + notes)
    return whole.encode(errors="replace").decode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _fitted(content: Json) -> Json:
    """Without what makes it too large: an event above 65,536 bytes is refused."""
    if _size(content) > MAX_CONTENT:
        content = {k: v for k, v in content.items() if k not in ("format", "formatted_body")}
    return content


def _size(content: Json) -> int:
    return len(msgspec.json.encode(content))
