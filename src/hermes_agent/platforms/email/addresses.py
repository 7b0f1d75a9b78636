"""Addresses: which is meant, and which are ours to write to.

Stricter than RFC 5322 on purpose: what two programs may read in two ways names nobody.
"""

import re
from collections.abc import Sequence

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
MAX_FIELD = 2000


def is_address(text: str) -> bool:
    """Whether it is one plain address, fit for SMTP and for a header."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def sender(fields: Sequence[str]) -> tuple[str, str] | None:
    """Name and address, in small letters, of the only author of a mail; `fields` are all its From
    headers, decoded of nothing. None when there is not exactly one that can be read in one way
    only."""
    if len(fields) != 1 or len(fields[0]) > MAX_FIELD:
        return None
    field = re.sub(r"[\r\n\t ]+", " ", fields[0]).strip()
    bare = _without_comments(_QUOTED.sub(lambda found: " " * len(found[0]), field))
    if bare is None or any(mark in bare for mark in ',;:"'):
        return None
    opened, closed = bare.count("<"), bare.count(">")
    if (opened, closed) == (1, 1):
        begin, end = bare.index("<"), bare.index(">")
        address, name = bare[begin + 1 : end].strip(), field[:begin].strip()
        if end < begin or bare[end + 1 :].strip() or "@" in bare[:begin]:
            return None
    elif (opened, closed) == (0, 0):
        address, name = bare.strip(), ""
    else:
        return None
    if not is_address(address):
        return None
    return name.strip('" '), address.lower()


def _without_comments(text: str) -> str | None:
    """With blanks for what stands in parentheses, which nest; None when they do not match."""
    depth = 0
    out: list[str] = []
    for letter in text:
        if letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
            if depth < 0:
                return None
            out.append(" ")
            continue
        out.append(" " if depth else letter)
    return None if depth else "".join(out)
