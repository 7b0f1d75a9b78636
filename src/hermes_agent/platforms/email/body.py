"""The body of a mail: its text and its files (RFC 2045, RFC 2046)."""

import binascii
import re
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from typing import Any, cast

import msgspec

from hermes_agent.platforms.email.headers import decoded
from hermes_agent.platforms.email.html_text import html_text

MAX_DEPTH = 20
MAX_PARTS = 200
MAX_FILES = 20
MAX_SOURCE = 500_000
"""Bytes of all texts together that are read."""

MAX_TEXT = 200_000
"""Characters of all texts together that are passed on: more than any person writes."""

MAX_DELIMITERS = 20_000
"""Lines that may part one part from the next: the parser takes its time for each."""

MAX_NESTING = 100
MAX_FIELD = 10_000
"""Bytes of one header of a part: the parser's time grows with the square of it."""

_NESTING = re.compile(rb"boundary|content-type:[ \t]*message/", re.I)
_FIELD = re.compile(rb"^content-[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.I | re.M)
_TOO_DEEP = "[this mail is put together in too many parts; it was not read]"
_CUT = "[this mail is too long; the rest of its text was left out]"


class File(msgspec.Struct, frozen=True):
    """A file as it came. `name` is the sender's, which may be anything."""

    name: str
    media_type: str
    data: bytes


class Body(msgspec.Struct):
    """`notes` say what is missing. `plain` tells whether the text was written as plain text.
    `parts` were read so far, and `room` bytes of text may still be."""

    texts: list[str] = msgspec.field(default_factory=list[str])
    files: list[File] = msgspec.field(default_factory=list[File])
    notes: list[str] = msgspec.field(default_factory=list[str])
    plain: bool = False
    parts: int = 0
    room: int = MAX_SOURCE

    @property
    def text(self) -> str:
        """All texts."""
        return "\n\n".join(filter(None, (each.strip() for each in self.texts)))


def read_body(raw: bytes) -> Body:
    """Read a whole mail. Takes any bytes; never raises for what is in them."""
    body = Body()
    if _is_bomb(raw):
        body.notes.append(_TOO_DEEP)
        return body
    try:
        _read(message_from_bytes(raw, policy=compat32), body, 0)
    except RecursionError:
        return Body(notes=[_TOO_DEEP])
    text = body.text
    if len(text) > MAX_TEXT:
        body.texts = [text[:MAX_TEXT]]
        _note(body, _CUT)
    return body


def _is_bomb(raw: bytes) -> bool:
    """The parser's time grows with depth times length, and with every part: this is to harm, or
    nothing for us."""
    return (
        raw.count(b"\n--") + raw.count(b"\r--") > MAX_DELIMITERS
        or any(len(each[0]) > MAX_FIELD for each in _FIELD.finditer(raw))
        or len(_NESTING.findall(raw)) > MAX_NESTING
    )


def _read(part: Message, body: Body, depth: int) -> None:
    body.parts += 1
    if depth > MAX_DEPTH or body.parts > MAX_PARTS:
        _note(body, _TOO_DEEP)
        return
    kind = _kind(part)
    if part.is_multipart() and kind == "multipart/alternative":
        _choose(part, body, depth)
    elif part.is_multipart() and kind.startswith("multipart/"):
        for each in _children(part):
            _read(each, body, depth + 1)
    elif kind in ("text/plain", "text/html") and not _is_file(part):
        data = _data(part)
        read = data[: body.room]
        body.room -= len(read)
        text = _letters(read, part)
        if len(read) < len(data):
            _note(body, _CUT)
        body.texts.append(html_text(text) if kind == "text/html" else text)
        body.plain = body.plain or (kind == "text/plain" and bool(text.strip()))
    else:
        _file(part, kind, body)


def _choose(part: Message, body: Body, depth: int) -> None:
    """Of several versions of the same: the plain one, or else the last that says anything."""
    versions: list[Body] = []
    for each in _children(part):
        version = Body(parts=body.parts, room=body.room)
        _read(each, version, depth + 1)
        body.parts, body.room = version.parts, version.room
        versions.append(version)
        body.files += version.files
        for note in version.notes:
            _note(body, note)
    said = [each for each in versions if each.text]
    best = next((each for each in said if each.plain), said[-1] if said else None)
    if best is not None:
        body.texts += best.texts
        body.plain = body.plain or best.plain


def _children(part: Message) -> list[Message]:
    payload: Any = part.get_payload()
    return [each for each in cast("list[Any]", payload) if isinstance(each, Message)]


def _file(part: Message, kind: str, body: Body) -> None:
    if len(body.files) >= MAX_FILES:
        _note(body, f"[more than {MAX_FILES} files came; the others were left out]")
        return
    if part.is_multipart():
        children = _children(part)
        data = children[0].as_bytes() if children else b""
        body.files.append(File(_name(part) or "message.eml", "message/rfc822", data))
        return
    data = _data(part)
    if data:
        body.files.append(File(_name(part), kind, data))


def _note(body: Body, note: str) -> None:
    if note not in body.notes:
        body.notes.append(note)


def _kind(part: Message) -> str:
    try:
        return part.get_content_type().lower()
    except (ValueError, LookupError, TypeError):
        return "application/octet-stream"


def _is_file(part: Message) -> bool:
    try:
        return part.get_content_disposition() == "attachment" or bool(part.get_filename())
    except (ValueError, LookupError, TypeError):
        return False


def _name(part: Message) -> str:
    try:
        return decoded(part.get_filename() or "")
    except (ValueError, LookupError, TypeError):
        return ""


def _data(part: Message) -> bytes:
    try:
        data: object = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, binascii.Error):
        return b""
    return data if isinstance(data, bytes) else b""


def _letters(data: bytes, part: Message) -> str:
    try:
        charset = part.get_content_charset()
        text = data.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError, TypeError):
        text = data.decode("utf-8", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    # Codecs such as utf-7 can make halves of letters, which cannot be stored.
    return text.encode("utf-8", "replace").decode()
