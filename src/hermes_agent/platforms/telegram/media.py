"""Fetching what people send: https://core.telegram.org/bots/api#getfile."""

import asyncio
import mimetypes
import os
import re
from pathlib import Path, PurePosixPath
from typing import IO

from hermes_agent.domain.chats import Attachment
from hermes_agent.domain.errors import StoreError
from hermes_agent.platforms.base import PlatformDown, SendRefused
from hermes_agent.platforms.telegram.client import Client
from hermes_agent.platforms.telegram.reading import Wanted
from hermes_agent.platforms.telegram.wire import FilePath

MAX_BYTES = 20_000_000
"""What the Bot API lets a bot download."""

ATTEMPTS = 3
PAUSE = 0.5
PATIENCE = 120.0
"""Seconds for one attempt; everybody waits for it."""

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


class TooLarge(Exception):
    """More than may be fetched."""


class Fetcher:
    """Puts files into `folder`, under names of ours."""

    def __init__(self, client: Client, folder: Path) -> None:
        self._client = client
        self._folder = folder

    async def fetch(self, wanted: Wanted, stem: str) -> Attachment | str:
        """The file as `<stem><suffix>`, or a line that says why it is not there. Raises
        `StoreError` when it cannot be kept here."""
        name = _display(wanted.file.file_name) or wanted.word
        label = wanted.word if name == wanted.word else f"{wanted.word} {name}"
        if wanted.file.file_size > MAX_BYTES:
            return _too_large(label, wanted.file.file_size)
        path = self._folder / f"{stem}{_suffix(wanted)}"
        for attempt in range(ATTEMPTS):
            try:
                async with asyncio.timeout(PATIENCE):
                    size = await self._get(wanted.file.file_id, path)
            except (PlatformDown, TimeoutError):
                if attempt + 1 < ATTEMPTS:
                    await asyncio.sleep(PAUSE * 2**attempt)
            except TooLarge:
                return _too_large(label, 0)
            except SendRefused as error:
                if "too big" in str(error).lower():
                    return _too_large(label, 0)
                break
            except OSError as error:
                raise StoreError(
                    f"A received file cannot be kept in {self._folder}: {error.strerror or error}."
                ) from error
            else:
                return Attachment(
                    kind=wanted.kind,
                    path=str(path),
                    name=name if wanted.file.file_name else path.name,
                    media_type=wanted.media_type,
                    size=size,
                )
        return f"[{label}: could not be fetched]"

    async def _get(self, file_id: str, path: Path) -> int:
        found = await self._client.call("getFile", FilePath, {"file_id": file_id})
        where = PurePosixPath(found.file_path)
        if not found.file_path or where.is_absolute() or ".." in where.parts:
            raise PlatformDown("Telegram named no path where the file can be fetched.")
        if found.file_size > MAX_BYTES:
            raise TooLarge
        await asyncio.to_thread(path.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        size = 0
        async with self._client.download(found.file_path) as response:
            file = await asyncio.to_thread(_create, part)
            try:
                async for piece in response.aiter_bytes(262_144):
                    size += len(piece)
                    if size > MAX_BYTES:
                        raise TooLarge
                    await asyncio.to_thread(file.write, piece)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            finally:
                file.close()
        await asyncio.to_thread(os.replace, part, path)
        return size


def _create(path: Path) -> IO[bytes]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _suffix(wanted: Wanted) -> str:
    own = PurePosixPath(wanted.file.file_name).suffix
    if _SUFFIX.fullmatch(own):
        return own.lower()
    if wanted.media_type == "audio/ogg":
        return ".ogg"
    return mimetypes.guess_extension(wanted.media_type) or ".bin"


def _display(name: str) -> str:
    """The sender's name for it without folders and what does not print."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(each for each in last if each.isprintable()).strip()[:120]


def _too_large(label: str, size: int) -> str:
    known = f"{size / 1_000_000:.0f} MB; " if size else ""
    return f"[{label}: too large ({known}at most {MAX_BYTES // 1_000_000} MB can be fetched)]"
