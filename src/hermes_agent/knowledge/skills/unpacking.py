"""Archives, which say themselves what they hold: unpacked without believing them."""

import lzma
import stat
import tarfile
import zipfile
import zlib
from importlib import import_module
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, cast

from hermes_agent.domain.errors import DeniedError, NotFoundError

MOST_FILES = 500
DEEPEST = 16
"""Folders inside of one another."""
MOST_TOTAL = 20 * 1024 * 1024
"""Bytes of all files together."""
_PIECE = 1024 * 1024
_COMPRESSED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bz2"), (b"\xfd7zXZ", "lzma"))
# Decompressors say what is wrong each in its own way; LZMAError is a plain exception.
_BROKEN = (EOFError, OSError, NotImplementedError, zlib.error, lzma.LZMAError)


def is_archive(path: Path) -> bool:
    """Whether `unpack` knows what to do with it."""
    return path.is_file() and (zipfile.is_zipfile(path) or _is_tar(path))


def unpack(path: Path, place: Path) -> None:
    """The files of a .zip or .tar, compressed or not, below `place`. Raises `DeniedError` for what
    is no file, lies outside or is too much."""
    try:
        if zipfile.is_zipfile(path):
            _unzip(path, place)
        else:
            _untar(path, place)
    except (*_BROKEN, zipfile.BadZipFile, tarfile.TarError, RuntimeError) as error:
        raise NotFoundError(f"{path.name} is no archive that can be read: {error}") from error


def _unzip(path: Path, place: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        refuse_bomb(len(infos), sum(info.file_size for info in infos))
        for info in infos:
            mode = info.external_attr >> 16
            if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and stat.S_IFMT(mode):
                raise DeniedError(f"The archive holds something that is no file: {info.filename!r}")
            if info.is_dir():
                continue
            target = inside(place, info.filename)
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as file, target.open("wb") as out:
                # The size in the table of contents may be a lie.
                data = file.read(info.file_size + 1)
                refuse_bomb(1, len(data) + sum(i.file_size for i in infos) - info.file_size)
                out.write(data)


def _is_tar(path: Path) -> bool:
    """By its beginning only: Python's own look at it would unfold a header of any length."""
    try:
        with _opened(path) as file:
            return file.read(512)[257:262] == b"ustar"
    except _BROKEN:
        return False


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        beginning = file.read(6)
    for magic, module in _COMPRESSED:
        if beginning.startswith(magic):
            return cast("IO[bytes]", import_module(module).open(path))
    return path.open("rb")


def _unfolded(path: Path, out: IO[bytes]) -> None:
    """What the compression hides, as long as it is no bomb."""
    with _opened(path) as file:
        total = 0
        while piece := file.read(_PIECE):
            total += len(piece)
            # Headers and padding may be as long as the files.
            refuse_bomb(1, total - MOST_TOTAL)
            out.write(piece)
    out.seek(0)


def _untar(path: Path, place: Path) -> None:
    with TemporaryFile() as out:
        _unfolded(path, out)
        with tarfile.open(fileobj=out, mode="r:") as archive:
            _take(archive, place)


def _take(archive: tarfile.TarFile, place: Path) -> None:
    count = total = 0
    for member in archive:
        count, total = count + 1, total + member.size
        refuse_bomb(count, total)
        if member.isdir():
            continue
        if not member.isfile():
            raise DeniedError(f"The archive holds something that is no file: {member.name!r}")
        target = inside(place, member.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        file = archive.extractfile(member)
        if file is not None:
            target.write_bytes(file.read(MOST_TOTAL))


def inside(place: Path, name: str) -> Path:
    """Where a file of this name belongs. Raises `DeniedError` for one that leads out."""
    pure = PurePosixPath(name.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or "\0" in name:
        raise DeniedError(f"The source wants to write outside of its folder: {name[:200]!r}")
    if len(pure.parts) > DEEPEST:
        raise DeniedError(f"The source nests folders more than {DEEPEST} deep.")
    return place / pure


def refuse_bomb(files: int, total: int) -> None:
    """Raises `DeniedError` for more than skills can have."""
    if files > MOST_FILES or total > MOST_TOTAL:
        raise DeniedError(
            f"That is too much for skills: at most {MOST_FILES} files and {MOST_TOTAL} bytes."
        )
