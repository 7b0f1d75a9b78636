"""The beginning of a Markdown text, made presentable while the rest is still being written."""

import re

_TAIL = 8000
"""A last paragraph longer than this is left as it is."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_UNDECIDED = re.compile(r"\s*(?:[-=*+#>|~`:]+|\d{1,9}[.)])\s*\Z")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\](?:\([^()\s]*)?\Z")
_SIGN = re.compile(r"\\.|`+|\*{1,3}|~~|_{1,2}", re.DOTALL)


def presentable(beginning: str) -> str:
    """The text with what is open at its end closed or left out: emphasis and code are closed, a
    link without its address is its text, signs that may still become anything are held back.
    An open code block needs nothing: Markdown ends it with the text."""
    fence = _open_fence(beginning)
    head, newline, last = beginning.rpartition("\n")
    if fence:
        ending = last.strip()
        held = bool(ending) and set(ending) == {fence[0]} and len(ending) < len(fence)
        return head if held else beginning
    while newline and _UNDECIDED.match(last):
        beginning = head
        head, newline, last = beginning.rpartition("\n")
    start = beginning.rfind("\n\n") + 1
    if len(beginning) - start > _TAIL:
        return beginning
    return beginning[:start] + _closed(_LINK.sub(r"\1", beginning[start:]))


def _open_fence(text: str) -> str:
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if not mark:
            continue
        if not fence:
            fence = mark[1]
        elif mark[1].startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
    return fence


def _closed(text: str) -> str:
    opened: list[tuple[str, int]] = []
    position = 0
    while found := _SIGN.search(text, position):
        sign, position = found[0], found.end()
        if sign.startswith("\\"):
            continue
        if sign.startswith("`"):
            ends = re.compile(f"(?<!`){sign}(?!`)").search(text, position)
            if ends is None:
                opened.append((sign, found.start()))
                break
            position = ends.end()
            continue
        index = next((i for i, (open_sign, _) in enumerate(opened) if open_sign == sign), None)
        before = text[found.start() - 1 : found.start()]
        if index is not None and before and not before.isspace():
            del opened[index:]
        elif (not before or not before.isalnum()) and not text[position : position + 1].isspace():
            opened.append((sign, found.start()))
    while opened and not text[opened[-1][1] + len(opened[-1][0]) :].strip():
        text = text[: opened.pop()[1]]
    if not opened:
        return text
    # Half of what ends the innermost one may be there already.
    text = text.rstrip().rstrip(opened[-1][0][0])
    return text + "".join(sign for sign, _ in reversed(opened))
