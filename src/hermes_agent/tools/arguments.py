"""From the text that the model wrote to the arguments that a tool gets.

Slips that can only mean one thing are mended (a trailing comma, Python's literals, a code fence,
"5" for 5); everything else comes back as a sentence that says what to write instead.
"""

import contextlib
import difflib
import re
from typing import Any, cast

import msgspec

from hermes_agent.domain.errors import HermesError
from hermes_agent.tools.sound import sound

_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*)\n\s*```\s*\Z", re.DOTALL)
_STRING_OR_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
_SHOWN = 40


class ArgumentFault(HermesError):
    """The arguments of a tool call cannot be used."""


class Shape(msgspec.Struct, frozen=True, rename="camel"):
    """The part of JSON Schema that tools use."""

    type: str = ""
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    min_length: int = 0
    max_items: int | None = None
    items: "Shape | None" = None
    properties: dict[str, "Shape"] = {}
    required: tuple[str, ...] = ()


def parse(text: str) -> dict[str, object]:
    """The object that `text` stands for. Raises `ArgumentFault` saying where it breaks."""
    if not text.strip():
        return {}
    try:
        value = _value(text)
        if isinstance(value, str):  # an object, encoded twice
            value = _value(value)
        value = sound(value)
    except RecursionError:
        raise ArgumentFault("The arguments are nested too deeply.") from None
    if not isinstance(value, dict):
        raise ArgumentFault(
            f"The arguments must be a JSON object, not {_kind(value)}.",
            hint='Write them as {"name": value, …}.',
        )
    return cast("dict[str, object]", value)


def _value(text: str) -> object:
    """JSON, or what is plainly meant to be."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return _mended(text)


def _mended(text: str) -> object:
    import json

    fenced = _FENCE.match(text)
    text = fenced[1] if fenced else text
    try:
        return json.loads(text, strict=False, parse_constant=_no_constant)
    except json.JSONDecodeError as fault:
        first = fault
    try:
        text = _STRING_OR_COMMA.sub(lambda match: match[1] or "", text)
        return json.loads(text, strict=False, parse_constant=_no_constant)
    except json.JSONDecodeError:
        pass
    import ast

    try:
        value: object = ast.literal_eval(text.strip())
        msgspec.json.encode(value)
    except (ValueError, SyntaxError, TypeError, MemoryError):
        raise _malformed(text, first.msg, first.pos) from None
    return value


def _no_constant(name: str) -> object:
    raise ArgumentFault(f"{name} is not JSON.", hint="Write a number, or null.")


def _malformed(text: str, reason: str, at: int) -> ArgumentFault:
    if at >= len(text.rstrip()) or reason.startswith("Unterminated string"):
        return ArgumentFault(
            f"The arguments end in the middle, after {len(text)} characters.",
            hint="Send the call again, complete; if it was cut for its length, do it in parts.",
        )
    before, after = text[max(0, at - _SHOWN) : at], text[at : at + _SHOWN]
    return ArgumentFault(
        f"The arguments are not valid JSON: {reason} at character {at}: {before}⟪here⟫{after}",
        hint="Send the call again with the arguments as one JSON object.",
    )


def validate(arguments: dict[str, object], shape: Shape) -> tuple[dict[str, object], list[str]]:
    """The arguments in the types of the schema, and notes on what was changed.

    Raises `ArgumentFault` that names every problem at once.
    """
    check = _Check()
    value = check.members(arguments, shape, "")
    if check.problems:
        wanted = ", ".join(
            f"{name} ({_wanted(member)}{', required' if name in shape.required else ''})"
            for name, member in shape.properties.items()
        )
        raise ArgumentFault("; ".join(check.problems) + ".", hint=f"The arguments are: {wanted}.")
    return value, check.notes


class _Check:
    """One validation: walks the value along the schema and gathers what it finds."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.notes: list[str] = []

    def members(self, given: dict[str, object], shape: Shape, where: str) -> dict[str, object]:
        found: dict[str, object] = {}
        for name, value in given.items():
            member = shape.properties.get(name)
            if member is None:
                self.notes.append(f"unknown argument `{where}{name}` was ignored")
            elif value is not None or name in shape.required:
                found[name] = self.value(value, member, f"{where}{name}")
        for name in shape.required:
            if name not in found:
                strange = [key for key in given if key not in shape.properties]
                near = [k for k in strange if name in k] or difflib.get_close_matches(name, strange)
                meant = f" (you wrote `{near[0]}`)" if near else ""
                self.problems.append(f"`{where}{name}` is missing{meant}")
        return found

    def value(self, value: object, shape: Shape, where: str) -> object:
        match shape.type:
            case "string":
                return self.string(value, shape, where)
            case "integer" | "number":
                return self.number(value, shape, where)
            case "boolean":
                return self.boolean(value, where)
            case "array":
                return self.array(value, shape, where)
            case "object":
                return self.map(value, shape, where)
            case _:
                return value

    def map(self, value: object, shape: Shape, where: str) -> object:
        """One without named members may hold anything."""
        if isinstance(value, str) and value.lstrip().startswith("{"):
            with contextlib.suppress(ArgumentFault, RecursionError):
                value = _value(value)
        if not isinstance(value, dict):
            return self.wrong(value, "an object", where)
        members = cast("dict[str, Any]", value)
        return self.members(members, shape, f"{where}.") if shape.properties else members

    def string(self, value: object, shape: Shape, where: str) -> object:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return self.wrong(value, "a text", where)
        if len(value) < shape.min_length:
            self.problems.append(f"`{where}` must not be empty")
        if shape.enum and value not in shape.enum:
            lowered = value.strip().lower()
            if lowered in shape.enum:
                return lowered
            choices = ", ".join(f'"{choice}"' for choice in shape.enum)
            self.problems.append(f'`{where}` must be one of {choices}, not "{_short(value)}"')
        return value

    def number(self, value: object, shape: Shape, where: str) -> object:
        whole = shape.type == "integer"
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self.wrong(value, "a whole number" if whole else "a number", where)
        if value != value or value in (float("inf"), float("-inf")):
            return self.wrong(value, "a finite number", where)
        if whole and value != int(value):
            return self.wrong(value, "a whole number", where)
        number = int(value) if whole else value
        for bound, beyond in (
            (shape.minimum, shape.minimum is not None and number < shape.minimum),
            (shape.maximum, shape.maximum is not None and number > shape.maximum),
        ):
            if bound is not None and beyond:
                number = int(bound) if whole else bound
                self.notes.append(f"`{where}` was set to {number}, the nearest allowed")
        return number

    def boolean(self, value: object, where: str) -> object:
        if isinstance(value, bool):
            return value
        spoken = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        known = spoken.get(str(value).strip().lower())
        return self.wrong(value, "true or false", where) if known is None else known

    def array(self, value: object, shape: Shape, where: str) -> object:
        if isinstance(value, str) and value.lstrip().startswith("["):
            try:
                value = _value(value)
            except (ArgumentFault, RecursionError):
                return self.wrong(value, "a list", where)
        if not isinstance(value, list):
            return self.wrong(value, "a list", where)
        found = cast("list[object]", value)
        if shape.max_items is not None and len(found) > shape.max_items:
            self.problems.append(f"`{where}` holds {len(found)}; at most {shape.max_items}")
        if shape.items is None:
            return found
        item = shape.items
        return [self.value(member, item, f"{where}[{i}]") for i, member in enumerate(found)]

    def wrong(self, value: object, wanted: str, where: str) -> object:
        self.problems.append(f"`{where}` must be {wanted}, not {_kind(value)}")
        return value


def _wanted(shape: Shape) -> str:
    return " | ".join(shape.enum) if shape.enum else shape.type


def _kind(value: object) -> str:
    """The value as the model knows it, short."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case dict():
            return "an object"
        case list() | tuple() | set():
            return "a list"
        case _:
            return f'"{_short(value)}"' if isinstance(value, str) else _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
