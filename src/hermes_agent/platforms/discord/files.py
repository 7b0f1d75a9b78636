"""Files that people send."""

import asyncio
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

import aiohttp

from hermes_agent.domain.chats import Attachment, MediaKind
from hermes_agent.platforms.discord.library import discord

if TYPE_CHECKING:
    from hermes_agent.platforms.discord.configuration import Configuration

MAX_FILES = 10
TIMEOUT = 120.0
ATTEMPTS = 3
AT_ONCE = 4
_CHUNK = 65_536
_UNSAFE = re.compile(r"[^\w.\- ]+")
_log = logging.getLogger(__name__)


class Files:
    """Fetches attachments into the media folder, a few at a time."""

    def __init__(self, configuration: "Configuration") -> None:
        self._configuration = configuration
        self._session: aiohttp.ClientSession | None = None
        self._places = asyncio.Semaphore(AT_ONCE)

    async def fetch(self, message: "discord.Message") -> tuple[tuple[Attachment, ...], str]:
        """The files, and a line for each that could not be had."""
        files: list[Attachment] = []
        notes: list[str] = []
        for number, each in enumerate(message.attachments):
            fault = self._fault(number, each)
            if not fault:
                path = self._configuration.media_dir / f"{message.id}-{number}-{_safe(each)}"
                fault = await self._insist(each.url, path)
                if not fault:
                    files.append(await asyncio.to_thread(_described, message, each, path))
            if fault:
                notes.append(f"[file {_safe(each)}: {fault}]")
        return tuple(files), "\n".join(notes)

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _fault(self, number: int, attachment: "discord.Attachment") -> str:
        address = urlsplit(attachment.url)
        if number >= MAX_FILES:
            return "too many files in one message"
        if attachment.size > self._configuration.max_download:
            return f"too large ({attachment.size} bytes)"
        official = address.scheme == "https" or bool(self._configuration.api_base)
        if not official or address.netloc not in self._configuration.file_hosts:
            return "not on Discord's own server for files"
        return ""

    async def _insist(self, url: str, path: Path) -> str:
        for attempt in range(ATTEMPTS):
            try:
                async with self._places, asyncio.timeout(TIMEOUT):
                    return await self._save(url, path)
            except (aiohttp.ClientError, TimeoutError) as error:
                _log.warning("a file could not be fetched: %s", type(error).__name__)
                await asyncio.sleep(0.5 * 2**attempt)
            except OSError as error:
                return f"cannot be kept ({error.strerror})"
        return "could not be fetched"

    async def _save(self, url: str, path: Path) -> str:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        async with self._session.get(url, allow_redirects=False) as answer:
            if answer.status >= 500 or answer.status == 429:
                answer.raise_for_status()
            if answer.status != 200:
                return f"could not be fetched ({answer.status})"
            return await self._write(answer.content, path)

    async def _write(self, content: aiohttp.StreamReader, path: Path) -> str:
        file = await asyncio.to_thread(_created, path)
        size = 0
        try:
            async for piece in content.iter_chunked(_CHUNK):
                size += len(piece)
                if size > self._configuration.max_download:
                    break
                await asyncio.to_thread(file.write, piece)
        finally:
            file.close()
        if size > self._configuration.max_download:
            await asyncio.to_thread(path.unlink)
            return "too large"
        return ""


def _described(
    message: "discord.Message", attachment: "discord.Attachment", path: Path
) -> Attachment:
    return Attachment(
        kind=_kind(message, attachment),
        path=str(path),
        name=_safe(attachment),
        media_type=attachment.content_type or "",
        size=path.stat().st_size,
    )


def _kind(message: "discord.Message", attachment: "discord.Attachment") -> MediaKind:
    main = (attachment.content_type or "").partition("/")[0]
    if main == "audio":
        return "voice" if message.flags.voice else "audio"
    if main == "image":
        return "image"
    return "video" if main == "video" else "document"


def _safe(attachment: "discord.Attachment") -> str:
    """The name, such that it is one everywhere and hides nothing."""
    name = _UNSAFE.sub("_", attachment.filename).strip(". ")
    stem, dot, ending = name.rpartition(".")
    return f"{stem[:80]}{dot}{ending[:16]}" if stem else name[:80] or "file"


def _created(path: Path) -> BinaryIO:
    """A new file, also where one of an earlier attempt stands."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    path.unlink(missing_ok=True)
    return path.open("xb")
