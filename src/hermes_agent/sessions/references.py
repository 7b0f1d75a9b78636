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
TIMEOUT = 20.0
_REFERENCE = re.compile(
    r"(?<!\S)@(?:(?P<kind>file|folder):(?P<path>\"[^\"]+\"|\S+)|(?P<git>diff|staged|git:\d+)(?!\S))"
)
_RANGE = re.compile(r"^(?P<path>.+?):(?P<start>\d+)(?:-(?P<end>\d+))?$")


class Guard(Protocol):
    """Says which files may be read; raises `DeniedError`."""

    def check_read(self, path: str) -> str:
        """The resolved path."""
        ...


async def expand_references(text: str, environment: Environment, guard: Guard) -> str:
    """`text` with everything that it refers to below it."""
    parts: list[str] = []
    for match in _REFERENCE.finditer(text):
        path = (match.group("path") or "").strip('"').rstrip(",;")
        if match.group("kind") == "file":
            body = await _file(path, environment, guard)
        elif match.group("kind") == "folder":
            body = await _folder(path, environment, guard)
        else:
            body = await _git(match.group("git"), environment)
        parts.append(f"[{match.group(0)}]\n{_cut(body)}")
    return "\n\n".join([text, *parts])


async def _file(named: str, environment: Environment, guard: Guard) -> str:
    ranged = _RANGE.match(named)
    path = ranged.group("path") if ranged else named
    try:
        resolved = guard.check_read(_absolute(path, environment))
        data = await environment.files.read(resolved, limit=4 * MAX_CHARS)
    except (DeniedError, OSError) as error:
        return f"(not readable: {error})"
    if b"\0" in data[:8192]:
        return "(a binary file)"
    text = data.decode("utf-8", "replace")
    if ranged:
        start = int(ranged.group("start"))
        end = int(ranged.group("end") or start)
        text = "\n".join(text.splitlines()[max(start, 1) - 1 : end])
    return text


async def _folder(path: str, environment: Environment, guard: Guard) -> str:
    try:
        names = await environment.files.list(guard.check_read(_absolute(path, environment)))
    except (DeniedError, OSError) as error:
        return f"(not readable: {error})"
    more = [f"… {len(names) - MAX_NAMES} more"] if len(names) > MAX_NAMES else []
    return "\n".join([*names[:MAX_NAMES], *more]) or "(empty)"


async def _git(what: str, environment: Environment) -> str:
    commands = {"diff": ["git", "diff"], "staged": ["git", "diff", "--staged"]}
    argv = commands.get(what) or ["git", "log", "-p", f"-{what.partition(':')[2]}"]
    result = await environment.run(shlex.join(argv), timeout=TIMEOUT)
    return result.output or "(nothing)"


def _absolute(path: str, environment: Environment) -> str:
    import posixpath

    return posixpath.normpath(posixpath.join(environment.cwd, posixpath.expanduser(path)))


def _cut(text: str) -> str:
    if len(text) <= MAX_CHARS:
        return text
    return f"{text[:MAX_CHARS]}\n[… {len(text) - MAX_CHARS} characters left out …]"
