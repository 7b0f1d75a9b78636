"""Files that an answer names, taken out of its text.

An answer sends a file by `MEDIA:/path`, by a Markdown image with a local path, or by the path of
a media file alone on a line. `[[audio_as_voice]]` makes its audio files voice messages. Paths are
absolute or not meant: nothing is looked up in any directory, no `~` and no `file:` is expanded.
"""

import posixpath
import re
from collections.abc import Callable

from hermes_agent.domain.chats import Attachment, MediaKind

AS_VOICE = "[[audio_as_voice]]"

_KINDS: dict[str, tuple[MediaKind, str]] = {
    ".png": ("image", "image/png"),
    ".jpg": ("image", "image/jpeg"),
    ".jpeg": ("image", "image/jpeg"),
    ".gif": ("image", "image/gif"),
    ".webp": ("image", "image/webp"),
    ".bmp": ("image", "image/bmp"),
    ".mp3": ("audio", "audio/mpeg"),
    ".m4a": ("audio", "audio/mp4"),
    ".aac": ("audio", "audio/aac"),
    ".wav": ("audio", "audio/wav"),
    ".flac": ("audio", "audio/flac"),
    ".ogg": ("voice", "audio/ogg"),
    ".oga": ("voice", "audio/ogg"),
    ".opus": ("voice", "audio/ogg"),
    ".mp4": ("video", "video/mp4"),
    ".m4v": ("video", "video/mp4"),
    ".mov": ("video", "video/quicktime"),
    ".webm": ("video", "video/webm"),
    ".mkv": ("video", "video/x-matroska"),
    ".avi": ("video", "video/x-msvideo"),
    ".pdf": ("document", "application/pdf"),
    ".svg": ("document", "image/svg+xml"),
    ".txt": ("document", "text/plain"),
    ".csv": ("document", "text/csv"),
    ".zip": ("document", "application/zip"),
}

_MOST = 4096
_TAG = re.compile(
    rf"MEDIA:[ \t]?(?:\"(/[^\"\n]{{1,{_MOST}}})\"|`(/[^`\n]{{1,{_MOST}}})`|(/\S{{1,{_MOST}}}))"
)
_IMAGE = re.compile(
    rf"!\[[^\[\]\n]{{0,1000}}\]\((?:<(/[^<>\n]{{1,{_MOST}}})>|(/[^\s()<>]{{1,{_MOST}}}))"
    r"(?:[ \t]+\"[^\"\n]{0,1000}\")?\)"
)
_BARE = re.compile(rf"[ \t]*`?(/[^`\n]{{1,{_MOST}}}?)`?[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_STOPS = ".,;:!?)]}'\"*_`"


def extract(text: str, may_send: Callable[[str], bool]) -> tuple[str, tuple[Attachment, ...]]:
    """The text without the files it names, and the files in their order, each once.

    `may_send` is asked for every absolute path, normalised (no `.`, `..` or doubled slashes); it
    decides by policy and by whether the file is there. What may not be sent stays as text, and so
    does all that stands in a code block. Sizes are not looked up.
    """
    found = _Found(may_send, as_voice=AS_VOICE in text)
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and _closes(line, fence) else fence
            lines.append(line)
            continue
        if mark:
            fence = mark[1]
            lines.append(line)
            continue
        kept = found.line(line)
        if kept.strip() or not line.strip():
            lines.append(kept)
    if not found.attachments and AS_VOICE not in text:
        return text, ()
    return _tidy(lines), tuple(found.attachments.values())


def kind_of(path: str) -> tuple[MediaKind, str]:
    """What a file is by its suffix, and its media type; unknown ones are documents."""
    suffix = posixpath.splitext(path)[1].lower()
    return _KINDS.get(suffix, ("document", "application/octet-stream"))


class _Found:
    def __init__(self, may_send: Callable[[str], bool], *, as_voice: bool) -> None:
        self._may_send = may_send
        self._as_voice = as_voice
        self._asked: dict[str, bool] = {}
        self.attachments: dict[str, Attachment] = {}

    def line(self, line: str) -> str:
        bare = _BARE.fullmatch(line)
        if bare and self._is_media(bare[1]) and self._take(bare[1]):
            return ""
        kept = line.replace(AS_VOICE, "")
        if "MEDIA:" in kept:
            kept = _TAG.sub(self._tag, kept)
        if "![" in kept:
            kept = _IMAGE.sub(self._image, kept)
        # What is left of `- MEDIA:/a.png` or `**MEDIA:/a.png**` says nothing any more.
        return kept if kept == line or any(map(str.isalnum, kept)) else ""

    def _tag(self, match: re.Match[str]) -> str:
        quoted = match[1] or match[2]
        if quoted:
            return "" if self._take(quoted) else match[0]
        # The end of a sentence or of emphasis is no part of a path, unless nothing else is meant.
        path = match[3]
        shorter = path.rstrip(_STOPS)
        if len(shorter) > 1 and self._take(shorter):
            return path[len(shorter) :]
        return "" if self._take(path) else match[0]

    def _image(self, match: re.Match[str]) -> str:
        return "" if self._take(match[1] or match[2]) else match[0]

    def _is_media(self, path: str) -> bool:
        return posixpath.splitext(path.strip())[1].lower() in _KINDS

    def _take(self, path: str) -> bool:
        path = path.strip()
        if not path.startswith("/") or any(ord(character) < 32 for character in path):
            return False
        path = "/" + posixpath.normpath(path).lstrip("/")
        if path not in self._asked:
            self._asked[path] = self._may_send(path)
        if not self._asked[path]:
            return False
        kind, media_type = kind_of(path)
        if self._as_voice and kind == "audio":
            kind = "voice"
        self.attachments.setdefault(
            path,
            Attachment(kind=kind, path=path, name=posixpath.basename(path), media_type=media_type),
        )
        return True


def _closes(line: str, fence: str) -> bool:
    line = line.strip()
    return len(line) >= len(fence) and set(line) == {fence[0]}


def _tidy(lines: list[str]) -> str:
    """Where a line was taken out between two blank ones, one blank line is enough."""
    kept: list[str] = []
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and _closes(line, fence) else fence
        elif mark:
            fence = mark[1]
        elif not line.strip() and (not kept or not kept[-1].strip()):
            continue
        kept.append(line)
    return "\n".join(kept).strip("\n")
