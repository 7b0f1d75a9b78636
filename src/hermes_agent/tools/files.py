"""Files as the file tools need them: found or explained, text or refused."""

import posixpath

from hermes_agent.domain.errors import DeniedError, NotFoundError
from hermes_agent.domain.execution import FileInfo
from hermes_agent.tools.contract import ToolContext
from hermes_agent.tools.place import absolute
from hermes_agent.tools.text import Text, decode, looks_binary

# What write_file and patch load at most; larger files are for other programs.
EDITABLE = 16_000_000

_SIMILAR = 5


async def existing(path: str, context: ToolContext) -> FileInfo:
    """The file that `path` names. Raises `DeniedError`, or `NotFoundError` with similar names."""
    resolved = context.guard.check_read(absolute(path, context.environment))
    info = await context.environment.files.stat(resolved)
    if info is None:
        raise await missing(path, context)
    return info


async def missing(path: str, context: ToolContext) -> NotFoundError:
    """The error for a path where nothing is."""
    full = posixpath.normpath(absolute(path, context.environment))
    near = await _similar(full, context)
    hint = f"Similar names: {', '.join(near)}." if near else "Find it with search_files."
    return NotFoundError(f"There is no file {path}.", hint=hint)


async def _similar(full: str, context: ToolContext) -> list[str]:
    folder, name = posixpath.split(full)
    files = context.environment.files
    try:
        names = await files.list(context.guard.check_read(folder))
    except (OSError, DeniedError):
        return []
    import difflib

    lowered = {there.lower(): there for there in names}
    wanted = name.lower()
    stem = posixpath.splitext(wanted)[0]
    near = difflib.get_close_matches(wanted, lowered, n=_SIMILAR, cutoff=0.6)
    near += [low for low in lowered if posixpath.splitext(low)[0] == stem and low not in near]
    return [posixpath.join(folder, lowered[low]) for low in near[:_SIMILAR]]


async def editable(path: str, context: ToolContext) -> tuple[str, Text | None]:
    """A path that may be written, resolved, and the text that is there (None: no file).

    Raises `DeniedError`, or `OSError` when what is there is no text that can be edited.
    """
    resolved = context.guard.check_write(absolute(path, context.environment))
    info = await context.environment.files.stat(resolved)
    if info is None:
        return resolved, None
    if info.kind == "directory":
        raise IsADirectoryError(f"{path} is a directory.")
    if info.kind == "other":
        raise OSError(f"{path} is not a regular file.")
    if info.size > EDITABLE:
        raise OSError(f"{path} is too large to edit here ({info.size:,} bytes).")
    context.guard.check_read(resolved)
    data = await context.environment.files.read(resolved, limit=EDITABLE + 1)
    if looks_binary(data):
        raise OSError(f"{path} is a binary file ({info.size:,} bytes), not text.")
    return resolved, decode(data)
