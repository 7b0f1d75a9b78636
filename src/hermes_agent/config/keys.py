"""Dotted keys and the schema: `terminal.timeout`, `custom_providers.0.models."gpt-4.1"`."""

import types
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Literal, Union, cast, get_args, get_origin

import msgspec

from hermes_agent.config.reading import KeyPath
from hermes_agent.config.schema import Config, Section
from hermes_agent.config.secret import Secret

LEGACY: dict[str, str] = {
    "max_turns": "agent.max_turns",
    "personalities": "agent.personalities",
    "terminal.env_type": "terminal.backend",
}
"""Old spellings of keys. Where both stand in one file, the newer wins."""


class Shape(msgspec.Struct, frozen=True):
    """What a key may hold.

    A `section`, a map of `values`, a list of `items`, or a scalar of one of the `scalars` (and of
    `choices`, if there are any). `free` holds anything.
    """

    section: type[Section] | None = None
    values: Any = None
    items: Any = None
    scalars: frozenset[type] = frozenset()
    choices: tuple[str, ...] = ()
    optional: bool = False
    free: bool = False

    @property
    def secret(self) -> bool:
        """Whether the value must not be shown."""
        return Secret in self.scalars

    def words(self) -> str:
        """The shape in words, for errors."""
        if self.section or self.values is not None:
            return "a map"
        if self.choices:
            return "one of " + ", ".join(repr(c) if c in ("",) else c for c in self.choices)
        names = {
            str: "text",
            Secret: "text",
            bool: "true or false",
            float: "a number",
            int: "a whole number",
        }
        if float in self.scalars:
            return "a number"
        kinds = [word for kind, word in names.items() if kind in self.scalars]
        if self.items is not None:
            kinds.append("a list")
        return " or ".join(kinds)


@cache
def shape(kind: Any) -> Shape:
    """The shape of a type used in the schema."""
    origin = get_origin(kind)
    if kind is Any:
        return Shape(free=True)
    if hasattr(kind, "__metadata__"):
        return shape(kind.__origin__)
    if origin is Literal:
        return Shape(scalars=frozenset((str,)), choices=get_args(kind))
    if origin is dict:
        return Shape(values=get_args(kind)[1])
    if origin is tuple:
        return Shape(items=get_args(kind)[0])
    if origin in (Union, types.UnionType):
        return _union([shape(each) for each in get_args(kind)])
    if kind is types.NoneType:
        return Shape(optional=True)
    if issubclass(kind, msgspec.Struct):
        return Shape(section=cast("type[Section]", kind))
    return Shape(scalars=frozenset((kind,)))


def _union(shapes: list[Shape]) -> Shape:
    return Shape(
        section=next((s.section for s in shapes if s.section), None),
        values=next((s.values for s in shapes if s.values is not None), None),
        items=next((s.items for s in shapes if s.items is not None), None),
        scalars=frozenset[type]().union(*(s.scalars for s in shapes)),
        choices=next((s.choices for s in shapes if s.choices), ()),
        optional=any(s.optional for s in shapes),
    )


@cache
def fields(section: type[Section]) -> dict[str, Any]:
    """The types of a section's keys, as they are spelled in the file."""
    kinds = section.__annotations__
    names = zip(section.__struct_fields__, section.__struct_encode_fields__, strict=True)
    return {key: kinds[name] for name, key in names}


def find(path: KeyPath) -> Shape | None:
    """The shape of a key, None if the schema knows no such key."""
    at = Shape(section=Config)
    for part in path:
        if at.section is not None:
            kinds = fields(at.section)
            if part not in kinds:
                return None
            at = shape(kinds[str(part)])
        elif at.values is not None:
            at = shape(at.values)
        elif at.items is not None and str(part).isdigit():
            at = shape(at.items)
        elif not at.free:
            return None
    return at


def known(section: type[Section] = Config, prefix: str = "") -> Iterator[str]:
    """All dotted keys of the schema that have a fixed name, sections included."""
    for key, kind in fields(section).items():
        yield prefix + key
        inner = shape(kind).section
        if inner is not None:
            yield from known(inner, f"{prefix}{key}.")


def nearest(path: KeyPath) -> str | None:
    """The known key that an unknown one was probably meant to be."""
    import difflib

    dotted = join(path)
    everything = [*known(), *LEGACY]
    whole = difflib.get_close_matches(dotted, everything, n=1, cutoff=0.75)
    if whole:
        return whole[0]
    last = str(path[-1])
    same = [key for key in everything if key.rpartition(".")[2] == last]
    return same[0] if len(same) == 1 else None


def join(path: Iterable[str | int]) -> str:
    """A path as a dotted key; a part with a dot in it is quoted."""
    return ".".join(f'"{p}"' if isinstance(p, str) and "." in p else str(p) for p in path)


def split(dotted: str) -> tuple[str, ...]:
    """A dotted key as a path; the opposite of `join`. Raises `ValueError`."""
    parts: list[str] = []
    rest = dotted
    while True:
        if rest.startswith('"'):
            part, quote, rest = rest[1:].partition('"')
            if not quote or (rest and not rest.startswith(".")):
                raise ValueError(dotted)
            more = bool(rest)
            rest = rest[1:]
        else:
            part, dot, rest = rest.partition(".")
            more = bool(dot)
        if not part:
            raise ValueError(dotted)
        parts.append(part)
        if not more:
            return tuple(parts)


def canonical(dotted: str) -> str:
    """The key that an old spelling stands for now; `model` is short for `model.default`."""
    for old, new in LEGACY.items():
        if dotted == old or dotted.startswith(old + "."):
            return new + dotted[len(old) :]
    return dotted
