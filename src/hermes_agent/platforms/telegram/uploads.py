"""Which method sends which file: https://core.telegram.org/bots/api#sending-files."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from hermes_agent.domain.chats import Attachment

MAX_BYTES = 50_000_000
MAX_PHOTO = 10_000_000
MAX_ALBUM = 10

_PHOTO = frozenset((".jpg", ".jpeg", ".png", ".webp"))
_VOICE = frozenset((".ogg", ".oga", ".opus", ".mp3", ".m4a"))
_AUDIO = frozenset((".mp3", ".m4a"))
_VIDEO = frozenset((".mp4",))
_ALBUMS = {"photo": "seen", "video": "seen", "document": "document", "audio": "audio"}


class Upload(msgspec.Struct, frozen=True):
    """`form` is the Bot API's word: it is sent by `send<Form>` in the field `form`."""

    form: str
    attachment: Attachment


def sort(attachments: Sequence[Attachment]) -> tuple[list[list[Upload]], list[str]]:
    """The files in the groups that go as one message each, and a line for each that cannot go."""
    groups: list[list[Upload]] = []
    notes: list[str] = []
    for each in attachments:
        name = each.name or Path(each.path).name
        try:
            size = Path(each.path).stat().st_size
        except OSError:
            notes.append(f"[{name}: the file is not there any more]")
            continue
        if not 0 < size <= MAX_BYTES:
            why = f"too large, {size / 1_000_000:.0f} MB" if size else "empty"
            notes.append(f"[{name}: {why}]")
            continue
        upload = Upload(form_of(each, size), each)
        album = _ALBUMS.get(upload.form)
        last = groups[-1] if groups else None
        if (
            album is not None
            and last is not None
            and _ALBUMS.get(last[0].form) == album
            and len(last) < MAX_ALBUM
        ):
            last.append(upload)
        else:
            groups.append([upload])
    return groups, notes


def form_of(attachment: Attachment, size: int) -> str:
    """How Telegram shows it as what it is; a document where it would not."""
    suffix = Path(attachment.name or attachment.path).suffix.lower()
    match attachment.kind:
        case "image" if suffix == ".gif":
            return "animation"
        case "image" if suffix in _PHOTO and size <= MAX_PHOTO:
            return "photo"
        case "voice" if suffix in _VOICE:
            return "voice"
        case "audio" | "voice" if suffix in _AUDIO:
            return "audio"
        case "video" if suffix in _VIDEO:
            return "video"
        case "sticker" if suffix == ".webp":
            return "sticker"
        case _:
            return "document"
