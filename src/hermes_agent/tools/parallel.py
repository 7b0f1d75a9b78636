"""Which calls may run side by side: those whose claims on the world do not meet."""

import posixpath
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from hermes_agent.tools.contract import Arguments
from hermes_agent.tools.table import Effect


class Claim(NamedTuple):
    """`path` is absolute, "" means everywhere; the path of a `note` is the tool's name."""

    kind: Literal["look", "change", "note"]
    path: str


def claims(
    tool: str, effect: Effect, arguments: Arguments, resolve: Callable[[str], str]
) -> tuple[Claim, ...]:
    """What one call lays claim to. `resolve` makes a path absolute and follows links."""
    match effect:
        case "everything":
            return (Claim("change", ""),)
        case "look_all":
            return (Claim("look", ""),)
        case "note":
            return (Claim("note", tool),)
        case "look":
            return tuple(Claim("look", resolve(path)) for path in named_paths(arguments))
        case "change":
            return tuple(Claim("change", resolve(path)) for path in named_paths(arguments))


def named_paths(arguments: Arguments) -> list[str]:
    """The paths that a file tool's arguments name, those inside a patch included."""
    from hermes_agent.tools.patching.v4a import paths_in

    path, text = arguments.get("path"), arguments.get("patch")
    found = [path] if isinstance(path, str) else []
    return found + (paths_in(text) if isinstance(text, str) else [])


def disjoint(calls: Iterable[tuple[Claim, ...]]) -> bool:
    """Whether no call touches what another one changes."""
    seen: list[Claim] = []
    for call in calls:
        if any(_meet(claim, other) for claim in call for other in seen):
            return False
        seen.extend(call)
    return True


def _meet(one: Claim, other: Claim) -> bool:
    if "note" in (one.kind, other.kind):
        return one.kind == other.kind and one.path == other.path
    if one.kind == other.kind == "look":
        return False
    return _within(one.path, other.path) or _within(other.path, one.path)


def _within(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(posixpath.join(folder, ""))
