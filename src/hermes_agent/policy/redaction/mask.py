"""What stands in a secret's place."""

import re

_SHORTEST_SHOWN = 18
_MASKED = re.compile(r"\*{3}|\S{6}\.\.\.\S{4}")


def mask(secret: str) -> str:
    """`***` for short secrets, else the first six and the last four characters."""
    if len(secret) < _SHORTEST_SHOWN:
        return "***"
    return f"{secret[:6]}...{secret[-4:]}"


def is_masked(value: str) -> bool:
    """Whether `value` is what `mask` makes: it must never be taken for a secret again."""
    return _MASKED.fullmatch(value) is not None
