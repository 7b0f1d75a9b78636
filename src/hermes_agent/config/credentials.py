"""Settings that arrive as credentials: one file each, named `settings.DOTTED.KEY`.

A service manager puts them into the folder that CREDENTIALS_DIRECTORY names (systemd.exec(5),
LoadCredential=); other files there are somebody else's. The text without its last newline is the
value.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hermes_agent.config import keys
from hermes_agent.config.normalise import from_text
from hermes_agent.config.reading import KeyPath
from hermes_agent.domain.errors import ConfigError

VARIABLE = "CREDENTIALS_DIRECTORY"
PREFIX = "settings."
MOST_BYTES = 1024 * 1024
"""As much as systemd hands over for a whole service."""


def read(environ: Mapping[str, str]) -> dict[KeyPath, str]:
    """The text of each, by the key that it sets; none where no folder is named.

    `environ` is the inherited environment. Raises `ConfigError`, which never shows a value.
    """
    named = environ.get(VARIABLE, "").strip()
    if not named:
        return {}
    folder = Path(named)
    try:
        names = sorted(name for name in os.listdir(folder) if name.startswith(PREFIX))  # noqa: PTH208
    except OSError as error:
        raise ConfigError(
            f"Cannot read the credentials in {folder}: {error.strerror}",
            hint=f"{VARIABLE} names this folder; is this the user of the service?",
        ) from error
    return {_path(folder / name): _text(folder / name) for name in names}


def value(path: KeyPath, text: str) -> Any:
    """What the text means for a key of this type."""
    shape = keys.find(path)
    if shape is None or shape.free or shape.section is not None or shape.values is not None:
        return text
    return from_text(text, shape)


def _path(file: Path) -> KeyPath:
    key = file.name.removeprefix(PREFIX)
    try:
        path = keys.split(keys.canonical(key))
    except ValueError as error:
        raise ConfigError(
            f"The credential {file} names no setting: {key!r} is not a dotted key",
            hint=f"It must look like {PREFIX}model.api_key",
        ) from error
    found = [keys.find(path[:length]) for length in range(1, len(path))]
    if any(shape is not None and shape.items is not None for shape in found):
        raise ConfigError(
            f"The credential {file} reaches into a list, and a list is declared as a whole",
            hint="Write ${NAME} in the list, and give NAME in an environment file.",
        )
    return path


def _text(file: Path) -> str:
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(f"Cannot read the credential {file}: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ConfigError(f"The credential {file} is not a regular file")
        with os.fdopen(os.dup(fd), "rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    finally:
        os.close(fd)
    if len(data) > MOST_BYTES:
        raise ConfigError(f"The credential {file} is longer than {MOST_BYTES:,} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"The credential {file} is not UTF-8 text") from error
    text = text.removesuffix("\n").removesuffix("\r")
    if not text or "\0" in text:
        problem = "holds a NUL byte" if text else "is empty"
        raise ConfigError(f"The credential {file} {problem}")
    return text
