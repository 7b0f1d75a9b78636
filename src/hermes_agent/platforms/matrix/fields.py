"""Reading JSON that anybody may have written: what is not of the expected type is not there."""

from typing import Any, cast

Json = dict[str, Any]


def mapping(value: object, *path: str) -> Json:
    """The object at this path, or an empty one."""
    for key in path:
        value = cast("Json", value).get(key) if isinstance(value, dict) else None
    return cast("Json", value) if isinstance(value, dict) else {}


def items(value: object, *path: str) -> list[Any]:
    """The list at this path, or an empty one."""
    found = mapping(value, *path[:-1]).get(path[-1]) if path else value
    return cast("list[Any]", found) if isinstance(found, list) else []


def text(value: object, *path: str) -> str:
    """The text at this path, storable, or an empty one."""
    found = mapping(value, *path[:-1]).get(path[-1])
    # Half a letter can be written in JSON, and stored nowhere.
    return found.encode(errors="replace").decode() if isinstance(found, str) else ""


def number(value: object, *path: str) -> int:
    """The whole number at this path, or 0."""
    found = mapping(value, *path[:-1]).get(path[-1])
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def events(value: object, *path: str) -> list[Json]:
    """The objects of the list at this path."""
    return [cast("Json", each) for each in items(value, *path) if isinstance(each, dict)]
