"""How long a vendor asks to wait, in all the ways in which vendors say it.

Sources: RFC 9110 §10.2.3 (Retry-After), https://platform.openai.com/docs/guides/rate-limits,
https://docs.anthropic.com/en/api/rate-limits, https://openrouter.ai/docs/api-reference/limits.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds to wait, as the headers say: milliseconds, seconds, a date, or a limit's reset."""
    exact = headers.get("retry-after-ms", "")
    if exact.replace(".", "", 1).isdigit():
        return float(exact) / 1000
    named = headers.get("retry-after", "").strip()
    if named:
        wait = _moment(named, now)
        if wait is not None:
            return wait
    waits: list[float] = []
    for name, value in headers.items():
        low = name.lower()
        if "ratelimit" not in low or "reset" not in low:
            continue
        left = headers.get(low.replace("reset", "remaining"), "")
        wait = _moment(value.strip(), now)
        if wait is not None and left in ("", "0"):
            waits.append(wait)
    return max(waits) if waits else None


def span(text: str) -> float | None:
    """Seconds in `7.5`, `250ms`, `6m0s`, `1h2m3s`."""
    if not text or not re.fullmatch(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d)?)+", text):
        return None
    units = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    return sum(
        float(number) * units[unit]
        for number, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?", text)
    )


def _moment(text: str, now: float) -> float | None:
    wait = span(text)
    if wait is not None:
        if wait > 1e12:  # Unix time in milliseconds (OpenRouter)
            wait = wait / 1000 - now
        elif wait > 1e9:
            wait -= now
        return max(wait, 0.0)
    try:
        return max(datetime.fromisoformat(text).timestamp() - now, 0.0)
    except ValueError:
        pass
    from email.utils import parsedate_to_datetime

    try:
        return max(parsedate_to_datetime(text).astimezone(UTC).timestamp() - now, 0.0)
    except ValueError:
        return None
