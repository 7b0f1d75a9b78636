"""Files: `mxc://` addresses, fetched with our token, and sent.

https://spec.matrix.org/latest/client-server-api/#content-repository
"""

import asyncio
import hashlib
import mimetypes
import os
import re
from collections.abc import AsyncGenerator, Callable
from pathlib import Path, PurePosixPath
from typing import IO

from hermes_agent.domain.chats import Attachment
from hermes_agent.domain.errors import StoreError
from hermes_agent.platforms.base import PlatformDown, SendRefused
from hermes_agent.platforms.matrix.client import Client
from hermes_agent.platforms.matrix.fields import Json
from hermes_agent.platforms.matrix.reading import Media

ATTEMPTS = 3
PAUSE = 0.5
PATIENCE = 120.0
"""Seconds for one attempt; what was written after it waits."""

_PIECE = 65_536
_MXC = re.compile(r"mxc://([\w.:\[\]-]{1,255})/([\w~.-]{1,255})")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")

Unlock = Callable[[bytes, Json], bytes]


class _TooLarge(Exception):
    """More than may be fetched."""


class Files:
    """Puts files into `folder`, under names of ours. `unlock` decrypts, where it can be done."""

    def __init__(self, client: Client, folder: Path, most: int, unlock: Unlock | None) -> None:
        self._client = client
        self._folder = folder
        self._most = most
        self._unlock = unlock

    async def fetch(self, media: Media, event_id: str) -> Attachment | str:
        """The file, or a line that says why it is not there. Raises `StoreError` when it cannot
        be kept here."""
        shown = display(media.name) or media.kind
        found = _MXC.fullmatch(media.address)
        if found is None:
            return f"[{media.kind} {shown}: has no address of Matrix's]"
        if media.size > self._most:
            return f"[{media.kind} {shown}: too large ({media.size} bytes)]"
        if media.lock and self._unlock is None:
            return f"[{media.kind} {shown}: is encrypted, and MATRIX_ENCRYPTION is off]"
        stem = hashlib.sha256(event_id.encode()).hexdigest()[:24]
        path = self._folder / f"{stem}{_suffix(media)}"
        for attempt in range(ATTEMPTS):
            try:
                async with asyncio.timeout(PATIENCE):
                    size = await self._get(found[1], found[2], path, media.lock)
            except (PlatformDown, TimeoutError):
                await asyncio.sleep(PAUSE * 2**attempt)
            except _TooLarge:
                return f"[{media.kind} {shown}: too large]"
            except SendRefused:
                break
            except OSError as error:
                raise StoreError(
                    f"A received file cannot be kept in {self._folder}: {error.strerror or error}."
                ) from error
            except ValueError:
                return f"[{media.kind} {shown}: cannot be decrypted]"
            else:
                return Attachment(
                    kind=media.kind,
                    path=str(path),
                    name=shown,
                    media_type=media.media_type[:100],
                    size=size,
                )
        return f"[{media.kind} {shown}: could not be fetched]"

    async def _get(self, server: str, media: str, path: Path, lock: Json) -> int:
        await asyncio.to_thread(path.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        size = 0
        try:
            async with self._client.download(server, media) as response:
                file = await asyncio.to_thread(_create, part)
                try:
                    async for piece in response.aiter_bytes(_PIECE):
                        size += len(piece)
                        if size > self._most:
                            raise _TooLarge
                        await asyncio.to_thread(file.write, piece)
                finally:
                    file.close()
            if lock and self._unlock is not None:
                await asyncio.to_thread(_decrypt, part, self._unlock, lock)
            await asyncio.to_thread(os.replace, part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return size


async def pieces(path: Path) -> AsyncGenerator[bytes]:
    """The bytes of a file, some at a time. Raises `OSError`."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
    finally:
        file.close()


def display(name: str) -> str:
    """The sender's name for it without folders and what does not print."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(each for each in last if each.isprintable()).strip()[:120]


def _create(path: Path) -> IO[bytes]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _decrypt(path: Path, unlock: Unlock, lock: Json) -> None:
    path.write_bytes(unlock(path.read_bytes(), lock))


def _suffix(media: Media) -> str:
    own = PurePosixPath(media.name).suffix
    if _SUFFIX.fullmatch(own):
        return own.lower()
    if media.media_type == "audio/ogg":
        return ".ogg"
    return mimetypes.guess_extension(media.media_type) or ".bin"
