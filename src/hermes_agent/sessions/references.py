"""References in what a person types: `@file:`, `@folder:`, `@diff`, `@staged`, `@git:N`.

The text stays as it was typed; what it refers to is put below it, marked as such. Files pass the
same guard as the agent's own reading.
"""

import re
import shlex
from typing import Protocol

from hermes_agent.domain.errors import DeniedError
from hermes_agent.domain.ports import Environment

MAX_CHARS = 40_000
MAX_NAMES = 200
MAX_SEARCHED = 8_000_000
"""Bytes of a file in which a range of lines is looked for."""
TIMEOUT = 20.0
_PUNCTUATION = re.compile(r"(?:[,;:!?)]|(?<![./:])\.)+\Z")
MAX_REFERENCES = 20
_REFERENCE = re.compile(
    r"(?<!\S)@(?:"
    r"(?P<kind>file|folder):(?:\"(?P<quoted>[^\"\n]+)\"(?P<lines>:\d+(?:-\d+)?)?|(?P<bare>[^\s\"]\S*))"
    r"|(?P<git>diff|staged|git:\d+)(?!\w)"
    r")"
)
_RANGE = re.compile(r"^(?P<path>.+?):(?P<start>\d+)(?:-(?P<end>\d+))?$")


class Guard(Protocol):
    """Says which files may be read; raises `DeniedError`."""

    def check_read(self, path: str) -> str:
        """The resolved path."""
        ...


async def expand_references(text: str, environment: Environment, guard: Guard) -> str:
    """`text` with everything that it refers to below it, each thing once."""
    found = {_without_punctuation(m.group(0)): m for m in _REFERENCE.finditer(text)}
    parts: list[str] = []
    for name, match in list(found.items())[:MAX_REFERENCES]:
        path = match.group("quoted") or _without_punctuation(match.group("bare") or "")
        if match.group("kind") == "file":
            body = await _file(path + (match.group("lines") or ""), environment, guard)
        elif match.group("kind") == "folder":
            body = await _folder(path, environment, guard)
        else:
            body = await _git(match.group("git"), environment)
        parts.append(f"[{name}]\n{_cut(body)}")
    if len(found) > MAX_REFERENCES:
        parts.append(f"[{len(found) - MAX_REFERENCES} more references were left out]")
    return "\n\n".join([text, *parts])


async def _file(named: str, environment: Environment, guard: Guard) -> str:
    try:
        data, lines = await _read(named, environment, guard)
    except (DeniedError, OSError) as error:
        return _unreadable(error)
    if b"\0" in data[:8192]:
        return "(a binary file)"
    text = data.decode("utf-8", "replace")
    if lines is None:
        return text or "(empty)"
    start, end = lines
    picked = text.split("\n")[max(start, 1) - 1 : end]
    return "\n".join(picked) or f"(there is no line {start})"


async def _read(
    named: str, environment: Environment, guard: Guard
) -> tuple[bytes, tuple[int, int] | None]:
    """A file whose name ends like a range of lines is found under that name first."""
    ranged = _RANGE.match(named)
    try:
        return await _bytes(named, environment, guard, 4 * MAX_CHARS), None
    except FileNotFoundError:
        if ranged is None:
            raise
    start = int(ranged.group("start"))
    end = int(ranged.group("end") or start)
    data = await _bytes(ranged.group("path"), environment, guard, MAX_SEARCHED)
    return data, (start, end)


async def _bytes(path: str, environment: Environment, guard: Guard, limit: int) -> bytes:
    return await environment.files.read(guard.check_read(_absolute(path, environment)), limit=limit)


async def _folder(path: str, environment: Environment, guard: Guard) -> str:
    try:
        names = await environment.files.list(guard.check_read(_absolute(path, environment)))
    except (DeniedError, OSError) as error:
        return _unreadable(error)
    more = [f"… {len(names) - MAX_NAMES} more"] if len(names) > MAX_NAMES else []
    return "\n".join([*names[:MAX_NAMES], *more]) or "(empty)"


async def _git(what: str, environment: Environment) -> str:
    commands = {"diff": ["diff"], "staged": ["diff", "--staged"]}
    wanted = commands.get(what) or ["log", "-p", f"-{what.partition(':')[2]}"]
    argv = ["git", "--no-pager", wanted[0], "--no-color", "--no-ext-diff", *wanted[1:]]
    # With a working directory of its own the command leaves the session's shell as it is.
    result = await environment.run(shlex.join(argv), workdir=environment.cwd, timeout=TIMEOUT)
    return result.output or "(nothing)"


def _unreadable(error: DeniedError | OSError) -> str:
    said = error.strerror if isinstance(error, OSError) else error.message
    return f"(not readable: {said or error})"


def _without_punctuation(text: str) -> str:
    """The end of a sentence does not belong to a path; the dots of `.` and `..` do."""
    return _PUNCTUATION.sub("", text)


def _absolute(path: str, environment: Environment) -> str:
    import posixpath

    return posixpath.normpath(posixpath.join(environment.cwd, posixpath.expanduser(path)))


def _cut(text: str) -> str:
    if len(text) <= MAX_CHARS:
        return text
    return f"{text[:MAX_CHARS]}\n[… {len(text) - MAX_CHARS} characters left out …]"
