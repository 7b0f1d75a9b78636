"""Whether the receiving server vouches for the address in From.

`Authentication-Results` is RFC 8601; which results speak for From is RFC 7489: DMARC's own, and
where a domain has no DMARC, DKIM or SPF of the very same domain (strict alignment).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_RESULT = re.compile(r"\s*(?P<method>[a-z0-9-]+)(?:\s*/\s*\d+)?\s*=\s*(?P<result>[a-z]+)\b", re.I)
_PROPERTY = re.compile(
    r"(?<![a-z0-9.-])(?P<name>[a-z0-9-]{1,40}\s?\.\s?[a-z0-9-]{1,40})\s?=\s?(?P<value>[^\s;]+)",
    re.I,
)
MAX_FIELD = 20_000


class _Result(NamedTuple):
    method: str
    result: str
    properties: list[tuple[str, str]]

    def values(self, name: str) -> list[str]:
        return [value for each, value in self.properties if each == name]


def vouched(fields: Sequence[str], authserv_id: str, address: str) -> bool:
    """Whether the server of that name says that the owner of the address's domain sent this.

    `fields` are all `Authentication-Results` headers, top first. Only the topmost ones that bear
    the name count, and only in one row: what a sender wrote lies below. A DMARC that failed, and
    two that disagree, outweigh everything else: then one of them may be forged.
    """
    domain = address.rpartition("@")[2].lower().rstrip(".")
    results = [each for field in _ours(fields, authserv_id) for each in _read(field)]
    dmarc = {each.result for each in results if each.method == "dmarc"}
    if "fail" in dmarc or len(dmarc) > 1:
        return False
    return any(_speaks_for(each, address.lower(), domain) for each in results)


def topmost(fields: Sequence[str]) -> str:
    """The name of the server that wrote the first of these headers; empty when there is none. It
    is a hint for a person who knows their provider, and nothing to trust."""
    parts = _parts(fields[0]) if fields else []
    words = parts[0].split() if parts else []
    return words[0][:100] if words and words[0].isprintable() else ""


def _ours(fields: Sequence[str], authserv_id: str) -> list[list[str]]:
    """The results of the first run of headers of this server."""
    found: list[list[str]] = []
    for field in fields:
        parts = _parts(field)
        name = parts[0].split() if parts else []
        if name and name[0].lower() == authserv_id.lower():
            found.append(parts[1:])
        elif found:
            break
    return found


def _read(parts: Sequence[str]) -> list[_Result]:
    found: list[_Result] = []
    for each in parts:
        begins = _RESULT.match(each)
        if begins is not None:
            properties = [
                (re.sub(r"\s", "", pair["name"]).lower(), pair["value"].lower().rstrip("."))
                for pair in _PROPERTY.finditer(each, begins.end())
            ]
            found.append(_Result(begins["method"].lower(), begins["result"].lower(), properties))
    return found


def _speaks_for(found: _Result, address: str, domain: str) -> bool:
    """Whether it is a pass for this very domain, or for the address that logged in at the server
    (RFC 8601, 2.7.4). What is told twice is told by nobody."""
    if found.result != "pass":
        return False
    match found.method:
        case "dmarc":
            return found.values("header.from") == [domain]
        case "dkim":
            # Some say only who signed; that is within the domain whose key it was (RFC 6376, 3.5).
            told = found.values("header.d") or _domains(found.values("header.i"))
            return told == [domain]
        case "spf":
            return _domains(found.values("smtp.mailfrom")) == [domain]
        case "auth":
            return found.values("smtp.auth") == [address]
        case _:
            return False


def _domains(values: Sequence[str]) -> list[str]:
    return [each.rpartition("@")[2] for each in values]


def _parts(field: str) -> list[str]:
    """The header between its semicolons, without comments; quoted strings hide neither. Empty for
    what cannot be read."""
    if len(field) > MAX_FIELD:
        return []
    parts = [""]
    depth, quoted, escaped = 0, False, False
    for letter in field:
        if escaped:
            escaped = False
            parts[-1] += " " if depth else "_"
        elif letter == "\\" and (quoted or depth):
            escaped = True
        elif letter == '"' and not depth:
            quoted = not quoted
        elif quoted:
            # Whatever stands in quotes is one value; nothing in it may look like a property.
            parts[-1] += letter if re.match(r"[\w.@+-]", letter) else "_"
        elif letter == "(":
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif depth:
            continue
        elif letter == ";":
            parts.append("")
        else:
            parts[-1] += letter
    return [] if depth or quoted else parts
