"""Merged settings against the schema: a `Config`, or every fault with its place."""

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from hermes_agent.config import keys
from hermes_agent.config.keys import Shape
from hermes_agent.config.reading import KeyPath
from hermes_agent.config.schema import Config
from hermes_agent.config.secret import Secret
from hermes_agent.config.secret_names import looks_secret


class Fault(msgspec.Struct, frozen=True):
    """A value that the schema does not allow. `text` never shows a secret."""

    path: KeyPath
    text: str


def convert(data: dict[str, Any]) -> Config | list[Fault]:
    """The configuration, or what is wrong with it."""
    try:
        return msgspec.convert(data, Config, dec_hook=_decode)
    except msgspec.ValidationError as error:
        return list(_faults(data, Config, ())) or [Fault((), str(error))]


def _decode(kind: type, value: object) -> Secret:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("expected text")


def _faults(value: Any, kind: Any, path: KeyPath) -> Iterator[Fault]:
    try:
        msgspec.convert(value, kind, dec_hook=_decode)
    except msgspec.ValidationError:
        below = [
            fault
            for inner, sub, key in _parts(value, kind)
            for fault in _faults(inner, sub, (*path, key))
        ]
        yield from below or [Fault(path, _say(value, keys.shape(kind), path))]


def _parts(value: Any, kind: Any) -> Iterator[tuple[Any, Any, str | int]]:
    shape = keys.shape(kind)
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        kinds = keys.fields(shape.section) if shape.section else {}
        for key, inner in entries.items():
            if key in kinds:
                yield inner, kinds[key], key
            elif shape.values is not None:
                yield inner, shape.values, key
    elif isinstance(value, list) and shape.items is not None:
        for index, inner in enumerate(cast("list[Any]", value)):
            yield inner, shape.items, index


def _say(value: Any, shape: Shape, path: KeyPath) -> str:
    dotted = keys.join(path)
    if isinstance(value, dict) and shape.section is not None:
        missing = [
            key
            for key, field in zip(
                shape.section.__struct_encode_fields__,
                msgspec.structs.fields(shape.section),
                strict=True,
            )
            if field.required and key not in value
        ]
        return f"{dotted}: {' and '.join(missing)} missing"
    return f"{dotted}: expected {shape.words()}, got {_shown(value, shape, path)}"


def _shown(value: Any, shape: Shape, path: KeyPath) -> str:
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    secret = shape.secret or any(looks_secret(str(p)) or p in ("env", "headers") for p in path)
    if secret:
        return "something else (not shown: it may be secret)"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
