"""config.yaml as a three-way merge: what was applied last, what is declared, what is on disk.

Declared keys win, a key that left the declaration leaves the file, a person's own keys stay. Maps
are merged, lists and everything else are replaced whole. Comments and order stay where the form of
the text allows it.
"""

from collections.abc import Iterator
from typing import Any, cast

from hermes_agent.config import reading, surgery
from hermes_agent.domain.errors import ConfigError

_ROUNDS = 8
"""A key that stands there twice needs a round for each time."""

Settings = dict[str, Any]
Change = tuple[tuple[str, ...], bool, Any]


class CannotKeepForm(Exception):
    """The text has a form that cannot be changed in place (aliases, merge keys)."""


def merged(last: Settings, declared: Settings, disk: Settings) -> Settings:
    """What the file has to say."""
    return _merged(_spelled(last), _spelled(declared), disk)


def rewritten(text: str, target: Settings) -> str:
    """The text, changed where it does not say `target`. Raises `CannotKeepForm`, `ConfigError`."""
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    plain = text.removeprefix(bom)
    for _ in range(_ROUNDS):
        changes = list(_changes(reading.parse(plain, "config.yaml").data, target, ()))
        if not changes:
            return bom + plain
        try:
            for path, gone, value in changes:
                plain = surgery.remove(plain, path) if gone else surgery.assign(plain, path, value)
        except (surgery.CannotOperate, KeyError, ConfigError) as error:
            raise CannotKeepForm from error
    raise CannotKeepForm


def written(target: Settings, heading: str = "") -> str:
    """A new text that says `target`."""
    return rewritten(heading, target)


def _spelled(settings: Settings) -> Settings:
    # `model: NAME` is short for a map with the name as its default.
    if isinstance(settings.get("model"), str):
        return {**settings, "model": {"default": settings["model"]}}
    return settings


def _merged(last: Settings, declared: Settings, disk: Settings) -> Settings:
    result: Settings = {}
    for key, value in disk.items():
        if key in declared:
            result[key] = _over(last.get(key), declared[key], value)
        elif key not in last:
            result[key] = value
        elif not _is_gone(remains := _without(last[key], value)):
            result[key] = remains
    for key, value in declared.items():
        result.setdefault(key, value)
    return result


def _over(last: Any, declared: Any, disk: Any) -> Any:
    if not (isinstance(declared, dict) and isinstance(disk, dict)):
        return cast("Any", declared)
    before = cast("Settings", last) if isinstance(last, dict) else {}
    return _merged(before, cast("Settings", declared), cast("Settings", disk))


_GONE = object()


def _is_gone(value: object) -> bool:
    return value is _GONE


def _without(last: Any, disk: Any) -> Any:
    """What a person added to something that left the declaration."""
    if isinstance(disk, dict):
        before = cast("Settings", last) if isinstance(last, dict) else {}
        own: Settings = {}
        for key, value in cast("Settings", disk).items():
            kept = _without(before[key], value) if key in before else value
            if not _is_gone(kept):
                own[key] = kept
        return own or _GONE
    return disk if isinstance(last, dict) else _GONE


def _changes(now: Settings, target: Settings, at: tuple[str, ...]) -> Iterator[Change]:
    for key, value in now.items():
        path = (*at, key)
        if key not in target:
            yield path, True, None
        elif isinstance(value, dict) and isinstance(target[key], dict) and value:
            yield from _changes(cast("Settings", value), cast("Settings", target[key]), path)
        elif not _same(value, target[key]):
            yield path, False, target[key]
    for key, value in target.items():
        if key not in now:
            yield (*at, key), False, value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        ours, theirs = cast("Settings", one), cast("Settings", other)
        return ours.keys() == theirs.keys() and all(_same(v, theirs[k]) for k, v in ours.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        left, right = cast("list[Any]", one), cast("list[Any]", other)
        return len(left) == len(right) and all(map(_same, left, right))
    return _is_same(cast("object", one), cast("object", other))


def _is_same(one: object, other: object) -> bool:
    # True equals 1 in Python, and 1.0 as well.
    return type(one) is type(other) and one == other
