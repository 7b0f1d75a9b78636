"""Is this file a model? Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"""

import struct
from pathlib import Path

from hermes_agent.domain.errors import UsageError

_HEADER = struct.Struct("<4sI")


def check_gguf(path: Path) -> Path:
    """The absolute path of a GGUF file that can be read. Raises `UsageError`."""
    found = path.expanduser().absolute()
    if not found.is_file():
        raise UsageError(f"There is no file {found}", hint="Give the path of a GGUF file.")
    try:
        with found.open("rb") as file:
            header = file.read(_HEADER.size)
    except OSError as error:
        raise UsageError(f"{found} cannot be read: {error.strerror}") from error
    if len(header) == _HEADER.size:
        magic, version = _HEADER.unpack(header)
        if magic == b"GGUF" and version in (2, 3):
            return found
    raise UsageError(
        f"{found} is not a GGUF model (version 2 or 3)",
        hint="llama.cpp's documentation tells how models are converted to GGUF.",
    )
