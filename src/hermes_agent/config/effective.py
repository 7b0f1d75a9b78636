"""Which keys the program obeys already."""

from pathlib import Path
from typing import Any

import msgspec

from hermes_agent.config import merge
from hermes_agent.config.keys import split


class _Rule(msgspec.Struct, frozen=True):
    path: tuple[str, ...]
    below: bool
    values: tuple[str, ...]


def rules() -> tuple[_Rule, ...]:
    """The lines of effective.txt."""
    text = Path(__file__).with_name("effective.txt").read_text("utf-8")
    found: list[_Rule] = []
    for line in text.splitlines():
        key, _, values = line.partition(" [")
        if key and not key.startswith("#"):
            plain = key.removesuffix(".*")
            found.append(_Rule(split(plain), plain != key, tuple(values.rstrip("]").split())))
    return tuple(found)


def idle(keys: list[str], data: dict[str, Any]) -> list[str]:
    """Those of the dotted keys that are set and change nothing yet."""
    known = rules()
    return [key for key in keys if not any(_covers(rule, key, data) for rule in known)]


def _covers(rule: _Rule, key: str, data: dict[str, Any]) -> bool:
    path = split(key)
    if path[: len(rule.path)] != rule.path or (len(path) > len(rule.path) and not rule.below):
        return False
    return not rule.values or str(merge.at(data, path)) in rule.values
