"""Request bodies as bytes."""

from typing import Any, cast

import msgspec

_encode = msgspec.json.Encoder().encode


def to_json(body: dict[str, Any]) -> bytes:
    """The body in its order. Halves of surrogate pairs, which no JSON may hold and which tool
    output of invalid UTF-8 brings along, become replacement characters."""
    try:
        return _encode(body)
    except UnicodeEncodeError:
        return _encode(_mended(body))


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_mended(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {_mended(k): _mended(v) for k, v in cast("dict[Any, Any]", value).items()}
    return value
