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
        plain, salt = name, f"{server}\0{tool}"
        while len(name) > MOST or name in taken:
            salt = hashlib.sha256(salt.encode("utf-8", "surrogatepass")).hexdigest()
            name = f"{plain[: MOST - 9]}_{salt[:8]}"
        taken.add(name)
        found[tool] = name
    return found
