"""Reading the error objects of all vendors into one shape."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from hermes_agent.providers.waiting import span

LONGEST_RAW = 300


class Said(msgspec.Struct, frozen=True):
    """What a vendor's error object says, whichever vendor wrote it."""

    message: str = ""
    codes: tuple[str, ...] = ()
    status: int | None = None
    retry_after: float | None = None


def read_error(value: Any) -> Said:
    """Find message and codes in a vendor's error object."""
    if isinstance(value, list) and value:
        value = cast("list[Any]", value)[0]
    if not isinstance(value, dict):
        return Said(message=str(value)) if isinstance(value, str) else Said()
    outer = cast("dict[str, Any]", value)
    inner: Any = outer.get("error", outer.get("errors", outer))
    if isinstance(inner, list) and inner:
        inner = cast("list[Any]", inner)[0]
    if isinstance(inner, str):
        return Said(message=inner, codes=_codes(outer))
    if not isinstance(inner, dict):
        return Said(message=str(outer.get("message") or outer.get("detail") or ""))
    error = cast("dict[str, Any]", inner)
    codes = list(_codes(error))
    wait: float | None = None
    status = error.get("code")
    for detail in cast("list[Any]", error.get("details") or []):
        if isinstance(detail, dict):
            held = cast("dict[str, Any]", detail)
            if isinstance(held.get("reason"), str):
                codes.insert(0, held["reason"].lower())
            if isinstance(held.get("retryDelay"), str):
                wait = span(held["retryDelay"])
    message = error.get("message") or error.get("detail") or outer.get("message") or ""
    metadata = error.get("metadata")
    if isinstance(metadata, dict):
        held = cast("dict[str, Any]", metadata)
        if isinstance(held.get("raw"), str):  # OpenRouter hands the real vendor's words through
            message = f"{message}: {held['raw'][:LONGEST_RAW]}"
        if held.get("reasons") or held.get("flagged_input"):
            codes.insert(0, "moderation")
    number = int(str(status)) if str(status).isdigit() else None
    return Said(str(message), tuple(codes), number, wait)


def _codes(error: Mapping[str, Any]) -> tuple[str, ...]:
    named = (error.get("code"), error.get("type"), error.get("status"))
    return tuple(each.lower() for each in named if isinstance(each, str))
