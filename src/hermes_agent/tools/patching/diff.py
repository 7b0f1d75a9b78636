"""What changed, as a unified diff for people."""

from collections.abc import Iterable, Iterator

_CONTEXT = 3
_MAX_LINES = 4000

Opcode = tuple[str, int, int, int, int]


def unified(before: str, after: str, path: str) -> str:
    """The diff of one file; "" when nothing changed. Very large changes are only counted."""
    old, new = _lines(before), _lines(after)
    if old == new:
        return ""
    head = f"--- {path if before else '/dev/null'}\n+++ {path if after else '/dev/null'}\n"
    start = _same(old, new)
    tail = _same(old[start:][::-1], new[start:][::-1])
    gone, come = len(old) - tail - start, len(new) - tail - start
    if gone + come > _MAX_LINES:
        return f"{head}@@ {gone} lines became {come} @@\n"
    return head + "".join(f"{line}\n" for line in _hunks(old, new, start, tail))


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    last = lines.pop()
    return [*lines, f"{last}\n\\ No newline at end of file"] if last else lines


def _same(one: list[str], other: list[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _hunks(old: list[str], new: list[str], start: int, tail: int) -> Iterator[str]:
    for group in _groups(old, new, start, tail):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@"
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (f" {line}" for line in old[i1:i2])
            else:
                yield from (f"-{line}" for line in old[i1:i2])
                yield from (f"+{line}" for line in new[j1:j2])


def _groups(old: list[str], new: list[str], start: int, tail: int) -> Iterable[list[Opcode]]:
    """The opcodes of each hunk. Matching is quadratic: it sees only what differs, and what is
    the same round it is put back."""
    from difflib import SequenceMatcher

    gone, come = old[start : len(old) - tail], new[start : len(new) - tail]
    codes: list[Opcode] = [
        ("equal", 0, start, 0, start),
        *(
            (tag, i1 + start, i2 + start, j1 + start, j2 + start)
            for tag, i1, i2, j1, j2 in SequenceMatcher(None, gone, come).get_opcodes()
        ),
        ("equal", len(old) - tail, len(old), len(new) - tail, len(new)),
    ]

    class Whole(SequenceMatcher[str]):
        def get_opcodes(self) -> list[Opcode]:  # pyright: ignore[reportIncompatibleMethodOverride]  # typeshed wants literal tags
            return codes

    return Whole(None, "", "").get_grouped_opcodes(_CONTEXT)


def _range(start: int, stop: int) -> str:
    """Lines as a hunk's header counts them: from 1, an empty range from the line before it."""
    length = stop - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"
