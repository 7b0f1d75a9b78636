"""What the tools of a server are called here: `mcp_<server>_<tool>`, as models accept it."""

import hashlib
import re
from collections.abc import Iterable

MOST = 64
_OTHER = re.compile(r"[^A-Za-z0-9_]")


def named(server: str, tools: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Our name for each tool, by the server's own. Two never get the same, and none one that is
    `taken`."""
    found: dict[str, str] = {}
    taken = set(taken)
    for tool in tools:
        name = _OTHER.sub("_", f"mcp_{server}_{tool}")
        if len(name) > MOST or name in taken:
            digest = hashlib.sha256(f"{server}\0{tool}".encode()).hexdigest()[:8]
            name = f"{name[: MOST - 9]}_{digest}"
        taken.add(name)
        found[tool] = name
    return found
