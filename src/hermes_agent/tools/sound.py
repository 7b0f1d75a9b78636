"""Halves of characters: file names that are not UTF-8 and careless JSON bring them along."""

from typing import cast


def sound(value: object) -> object:
    """The value with every half of a character replaced by a question mark."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {str(sound(key)): sound(member) for key, member in members.items()}
    if isinstance(value, list | tuple):
        return [sound(member) for member in cast("list[object]", value)]
    return value
