"""Reading one event, whatever state it is in."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import msgspec

from hermes_agent.domain.errors import BadResponse
from hermes_agent.providers.errors import not_json
from hermes_agent.providers.target import Target

_MOST_TOKENS = 10**12

T = TypeVar("T")


def read_event(decoder: msgspec.json.Decoder[T], target: Target, data: bytes) -> T | None:
    """The event, or None for one that says nothing (a proxy's keep-alive, an empty line).

    Invalid UTF-8 is mended. Raises `BadResponse` for what is no JSON or has another shape.
    """
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        bare = data.strip()
        if not bare:
            return None
        if isinstance(error, msgspec.ValidationError):
            if not bare.startswith((b"{", b"[")):
                return None
            raise BadResponse(
                f"{target.vendor.label} sent an event of a shape that its protocol does not know: "
                f"{error}.",
                vendor=target.vendor.id,
            ) from None
    mended = not_json(target, data)
    if mended == data:
        raise BadResponse(
            f"{target.vendor.label} sent an event that cannot be read.", vendor=target.vendor.id
        )
    return read_event(decoder, target, mended)


def count(value: object) -> int:
    """A vendor's number of tokens; whatever is no number counts as none, and no number is so large
    that sums of it could not be stored."""
    return int(min(value, _MOST_TOKENS)) if isinstance(value, int | float) and value > 0 else 0


def details(usage: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A finer count inside a vendor's usage; empty where there is none."""
    value = usage.get(key)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
