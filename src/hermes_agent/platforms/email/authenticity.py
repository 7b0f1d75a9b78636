"""Whether the receiving server vouches for the address in From.

`Authentication-Results` is RFC 8601; which results speak for From is RFC 7489 (DMARC, whose
alignment is taken strictly here for DKIM alone).
"""

import re
from collections.abc import Sequence

_COMMENT_MARKS = re.compile(r'[()"\\]')
_RESULT = re.compile(r"\s*(?P<method>[a-z0-9-]+)(?:\s*/\s*\d+)?\s*=\s*(?P<result>[a-z]+)\b", re.I)
_PROPERTY = re.compile(r"\b(?P<name>[a-z0-9-]+\s*\.\s*[a-z0-9-]+)\s*=\s*(?P<value>[^\s;]+)", re.I)
MAX_FIELD = 20_000


def vouched(fields: Sequence[str], authserv_id: str, address: str) -> bool:
    """Whether the server of that name says that the owner of the address's domain sent this.

    `fields` are all `Authentication-Results` headers, top first. Only the topmost ones that bear
    the name count, and only in one row: what a sender wrote lies below.
    """
    domain = address.rpartition("@")[2].lower().rstrip(".")
    return any(_speaks_for(results, address, domain) for results in _ours(fields, authserv_id))


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


def _speaks_for(results: Sequence[str], address: str, domain: str) -> bool:
    proofs = {"dmarc": ("header.from", domain), "dkim": ("header.d", domain)}
    proofs["auth"] = ("smtp.auth", address.lower())
    for each in results:
        begins = _RESULT.match(each)
        if begins is None or begins["result"].lower() != "pass":
            continue
        properties = [
            (re.sub(r"\s", "", found["name"]).lower(), found["value"].lower().rstrip("."))
            for found in _PROPERTY.finditer(each, begins.end())
        ]
        proof = proofs.get(begins["method"].lower())
        if proof and [value for name, value in properties if name == proof[0]] == [proof[1]]:
            return True
    return False


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
