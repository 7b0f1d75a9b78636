"""The record: what was applied last. Written last, so that what broke off is done again."""

import os
from typing import Any

import msgspec

from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.setup.handles import Folder, Unreadable

MOST_BYTES = 16 * 1024 * 1024


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`state` and `home` are device and inode of the directories. `settings` is the declaration
    as it was merged into config.yaml, `documents` has the digests of what was written, `program`
    what `stamp` said."""

    version: int = 1
    generation: str = ""
    state_dir: str = ""
    state: tuple[int, int] | None = None
    home: tuple[int, int] | None = None
    uid: int | None = None
    settings: dict[str, Any] = {}
    documents: dict[str, str] = {}
    program: str = ""


def stamp(program: str) -> str:
    """Tells whether a package was replaced at its place: an installation writes its program anew.

    Empty where there is none.
    """
    real = os.path.realpath(program)
    try:
        about = os.stat(real)  # noqa: PTH116  text
    except OSError:
        return ""
    return f"{real} {about.st_size} {about.st_mtime_ns}"


def read(folder: Folder, name: str) -> Record:
    """The record; an empty one if nothing was applied yet. Raises `SetupFailed`."""
    path = folder.named(name)
    hint = f"Everything is applied anew after: rm {path}"
    try:
        data = folder.read(name, MOST_BYTES)
        return Record() if data is None else msgspec.json.decode(data, type=Record)
    except Unreadable as error:
        raise SetupFailed(f"Cannot read the record {path}: {error.message}", hint=hint) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SetupFailed(f"The record {path} is damaged: {error}", hint=hint) from error


def write(folder: Folder, name: str, record: Record) -> None:
    """Keep it. Raises `SetupFailed`."""
    folder.replace(name, msgspec.json.encode(record) + b"\n", 0o600)
