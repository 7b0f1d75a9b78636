"""Archives, which say themselves what they hold: unpacked without believing them."""

import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from hermes_agent.domain.errors import DeniedError, NotFoundError

MOST_FILES = 500
MOST_TOTAL = 20 * 1024 * 1024
"""Bytes of all files together."""


def is_archive(path: Path) -> bool:
    """Whether `unpack` knows what to do with it."""
    return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))


def unpack(path: Path, place: Path) -> None:
    """The files of a .zip or .tar, compressed or not, below `place`. Raises `DeniedError` for what
    is no file, lies outside or is too much."""
    try:
        if zipfile.is_zipfile(path):
            _unzip(path, place)
        else:
            _untar(path, place)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError) as error:
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


def _untar(path: Path, place: Path) -> None:
    with tarfile.open(path) as archive:
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
        raise DeniedError(f"The source wants to write outside of its folder: {name!r}")
    return place / pure


def refuse_bomb(files: int, total: int) -> None:
    """Raises `DeniedError` for more than skills can have."""
    if files > MOST_FILES or total > MOST_TOTAL:
        raise DeniedError(
            f"That is too much for skills: at most {MOST_FILES} files and {MOST_TOTAL} bytes."
        )
