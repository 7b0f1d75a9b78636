"""What changed, as a unified diff for people."""

import re

_CONTEXT = 3
_MAX_LINES = 4000
_HEADER = re.compile(r"^@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@", re.MULTILINE)


def unified(before: str, after: str, path: str) -> str:
    """The diff of one file; "" when nothing changed. Very large changes are only counted."""
    old, new = before.split("\n"), after.split("\n")
    if old == new:
        return ""
    head = f"--- {path if before else '/dev/null'}\n+++ {path if after else '/dev/null'}\n"
    start = _same(old, new)
    tail = _same(old[start:][::-1], new[start:][::-1])
    # difflib is quadratic: it gets only what differs, and the context round it.
    begin = max(0, start - _CONTEXT)
    cut = max(0, tail - _CONTEXT)
    old, new = old[begin : len(old) - cut], new[begin : len(new) - cut]
    if len(old) + len(new) > _MAX_LINES:
        return f"{head}@@ {len(old)} lines became {len(new)} @@\n"
    import difflib

    lines = list(difflib.unified_diff(old, new, n=_CONTEXT, lineterm=""))[2:]
    return head + _HEADER.sub(lambda found: _moved(found, begin), "\n".join(lines)) + "\n"


def _same(one: list[str], other: list[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _moved(found: re.Match[str], by: int) -> str:
    return f"@@ -{int(found[1]) + by}{found[2] or ''} +{int(found[3]) + by}{found[4] or ''} @@"
