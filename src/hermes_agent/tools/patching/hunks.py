"""Applying the hunks of a V4A patch to one text."""

from collections.abc import Callable

from hermes_agent.tools.patching.lines import Indents, plain_typography
from hermes_agent.tools.patching.v4a import Hunk, PatchFault

_KEYS: tuple[Callable[[str], str], ...] = (str, str.rstrip, str.strip, plain_typography)


def apply(text: str, hunks: tuple[Hunk, ...], path: str) -> str:
    """The text afterwards; hunks come in the order of the file. Raises `PatchFault`.

    Context stays as the file has it. A last line without an end stays without.
    """
    lines = text.split("\n")
    ended = lines[-1] == ""
    if ended:
        lines.pop()
    done: list[str] = []
    for number, hunk in enumerate(hunks, 1):
        where = f"Hunk {number} of {path}"
        start = _start(lines, hunk, where)
        done += lines[:start]
        found = lines[start : start + len(hunk.old)]
        done += _edited(found, hunk)
        lines = lines[start + len(found) :]
    done += lines
    return "\n".join(done) + ("\n" if done and (ended or not text) else "")


def _edited(found: list[str], hunk: Hunk) -> list[str]:
    indents = Indents.between(hunk.old, found)
    result: list[str] = []
    at = 0
    for mark, text in hunk.lines:
        if mark == "+":
            result.append(indents.apply(text))
            continue
        if mark == " ":
            result.append(found[at])
        at += 1
    return result


def _start(lines: list[str], hunk: Hunk, where: str) -> int:
    after = 0
    for anchor in hunk.anchors:
        after = _anchor(lines, anchor, after, where) + 1
    wanted = hunk.old
    if not wanted:
        return after if hunk.anchors and not hunk.at_end else len(lines)
    for key in _KEYS:
        starts = _find([key(line) for line in lines], [key(line) for line in wanted], after)
        if hunk.at_end:
            starts = [start for start in starts if start + len(wanted) == len(lines)]
        if starts and (len(starts) == 1 or hunk.anchors):
            return starts[0]
        if starts:
            raise PatchFault(
                f"{where} fits {len(starts)} places.",
                hint="Add context lines, or a line @@ with the function or class it is in.",
            )
    # An anchor may also be the first line of the hunk itself.
    if hunk.anchors and wanted[0].strip() == hunk.anchors[-1]:
        return _start(lines, Hunk(hunk.anchors[:-1], hunk.lines, hunk.at_end), where)
    shown = "\n".join(wanted[:5])
    end = " at the end of the file" if hunk.at_end else ""
    raise PatchFault(
        f"{where}: these lines are not there{end}:\n{shown}",
        hint="Read the file again; hunks must stand in the order of the file.",
    )


def _anchor(lines: list[str], anchor: str, after: int, where: str) -> int:
    tests: tuple[Callable[[str], bool], ...] = (
        lambda line: line.strip() == anchor,
        lambda line: line.strip().startswith(anchor),
        lambda line: anchor in line,
    )
    for test in tests:
        for number in range(after, len(lines)):
            if test(lines[number]):
                return number
    raise PatchFault(
        f"{where}: no line reads {anchor!r}.",
        hint="After @@ stands one whole line of the file above the place; or nothing.",
    )


def _find(keys: list[str], wanted: list[str], after: int) -> list[int]:
    height = len(wanted)
    return [
        start
        for start in range(after, len(keys) - height + 1)
        if keys[start] == wanted[0] and keys[start : start + height] == wanted
    ]
