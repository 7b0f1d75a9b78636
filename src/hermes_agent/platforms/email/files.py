"""Files of mails, kept under names of ours."""

import os
import re
from pathlib import Path, PurePosixPath

from hermes_agent.domain.chats import Attachment, MediaKind
from hermes_agent.platforms.email.body import File

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


def keep(
    files: list[File], folder: Path, stem: str, limit: int
) -> tuple[list[Attachment], list[str]]:
    """Write them as `<stem>-<number><suffix>`; gives them, and a line for each that is missing."""
    kept: list[Attachment] = []
    notes: list[str] = []
    for number, file in enumerate(files):
        name = shown_name(file.name) or f"file {number + 1}"
        if len(file.data) > limit:
            notes.append(f"[file {name}: too large ({len(file.data)} bytes)]")
            continue
        suffix = PurePosixPath(name).suffix
        ending = suffix.lower() if _SUFFIX.fullmatch(suffix) else ".bin"
        path = folder / f"{stem}-{number}{ending}"
        try:
            _write(path, file.data)
        except OSError as error:
            notes.append(f"[file {name}: cannot be kept ({error.strerror})]")
            continue
        kept.append(
            Attachment(
                kind=kind_of(file.media_type),
                path=str(path),
                name=name,
                media_type=file.media_type,
                size=len(file.data),
            )
        )
    return kept, notes


def shown_name(name: str) -> str:
    """The sender's name for it, without folders and what does not print."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(each for each in last if each.isprintable()).strip(". ")[-120:]


def kind_of(media_type: str) -> MediaKind:
    """By its media type."""
    main = media_type.partition("/")[0]
    if main == "image":
        return "image"
    if main == "audio":
        return "audio"
    return "video" if main == "video" else "document"


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    part.replace(path)
