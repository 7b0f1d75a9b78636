"""The schema in words: descriptions of keys, and JSON Schema for editors.

A description is the string under its field in the source; reading it there costs nothing at
start, when nobody asks.
"""

import ast
import inspect
from functools import cache
from itertools import pairwise
from typing import Any, cast

import msgspec

from hermes_agent.config import keys
from hermes_agent.config.reading import KeyPath
from hermes_agent.config.schema import Config, Section
from hermes_agent.config.secret import Secret


@cache
def descriptions(section: type[Section]) -> dict[str, str]:
    """What a section's source says under each field, by the key as it is spelled in the file."""
    body = cast("ast.ClassDef", ast.parse(inspect.getsource(section)).body[0]).body
    by_field: dict[str, str] = {}
    for line, after in pairwise(body):
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            by_field[line.target.id] = str(after.value.value)
    names = zip(section.__struct_fields__, section.__struct_encode_fields__, strict=True)
    return {key: by_field[name] for name, key in names if name in by_field}


def describe(path: KeyPath) -> str | None:
    """The description of a key; None if the schema has none."""
    for length in range(len(path) - 1, -1, -1):
        holder = keys.find(path[:length])
        if holder is not None and holder.section is not None:
            return descriptions(holder.section).get(str(path[length]))
    return None


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of config.yaml. Unknown keys are allowed: they are kept and named."""
    (_,), components = msgspec.json.schema_components(
        (Config,), schema_hook=_secret, ref_template="#/$defs/{name}"
    )
    for section in _sections(Config, set()):
        properties = components[section.__name__]["properties"]
        for key, text in descriptions(section).items():
            properties[key]["description"] = text
        properties.update(_legacy(section))
    root = components.pop("Config")
    root["properties"]["model"] = {
        "anyOf": [{"$ref": "#/$defs/Model"}, {"type": "string"}],
        "description": "The model that answers, by name or with details.",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "config.yaml of Hermes Agent",
        **{key: value for key, value in root.items() if key != "title"},
        "$defs": components,
    }


def _secret(kind: type) -> dict[str, Any]:
    if kind is Secret:
        return {"type": "string"}
    raise NotImplementedError  # how msgspec is told that a type is not ours to describe


def _legacy(section: type[Section]) -> dict[str, Any]:
    """Old spellings that stand in this section."""
    found: dict[str, Any] = {}
    for old, new in keys.LEGACY.items():
        path = keys.split(old)
        holder = keys.find(path[:-1])
        if holder is not None and holder.section is section:
            found[path[-1]] = {"description": f"Old name of {new}.", "deprecated": True}
    return found


def _sections(section: type[Section], seen: set[type[Section]]) -> set[type[Section]]:
    if section in seen:
        return seen
    seen.add(section)
    for kind in keys.fields(section).values():
        at = keys.shape(kind)
        while at.values is not None or at.items is not None:
            at = keys.shape(at.values if at.values is not None else at.items)
        if at.section is not None:
            _sections(at.section, seen)
    return seen
