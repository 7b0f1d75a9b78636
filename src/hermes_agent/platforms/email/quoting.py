"""What somebody wrote, apart from what they quote below it."""

import re

MAX_QUOTED = 4000

_DIVIDER = re.compile(
    r"-{2,}\s*(?:original message|ursprüngliche nachricht|message d'origine|mensaje original"
    r"|forwarded message)\s*-{2,}",
    re.I,
)
_FORWARDED = re.compile(r"forwarded", re.I)


def split_quoted(text: str) -> tuple[str, str]:
    """The new words, and what is quoted after them without its marks, at most `MAX_QUOTED`
    characters. Where somebody wrote between or below the quoted lines, and in what is forwarded,
    nothing is taken out: better too much than a word too little."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if _DIVIDER.fullmatch(line.strip()):
            if _FORWARDED.search(line):
                return text.strip(), ""
            return _halves(lines[:index], lines[index + 1 :], text)
    last = len(lines)
    while last and not lines[last - 1].strip():
        last -= 1
    first = last
    while first and (lines[first - 1].startswith(">") or not lines[first - 1].strip()):
        first -= 1
    quoted = lines[first:last]
    if not any(line.startswith(">") for line in quoted):
        return text.strip(), ""
    return _halves(_without_attribution(lines[:first]), quoted, text)


def _halves(new: list[str], quoted: list[str], whole: str) -> tuple[str, str]:
    said = "\n".join(new).strip()
    if not said:
        return whole.strip(), ""
    told = "\n".join(re.sub(r"^>+ ?", "", line) for line in quoted).strip()
    return said, told[:MAX_QUOTED]


def _without_attribution(lines: list[str]) -> list[str]:
    """Without "On Tuesday, Anna wrote:" in any language, which may be two lines long."""
    end = len(lines)
    if end and lines[end - 1].rstrip().endswith(":"):
        begin = end - 1
        if begin and lines[begin - 1].strip() and not re.search(r"\d", lines[begin]):
            begin -= 1
        attribution = " ".join(lines[begin:end])
        if len(attribution) < 300 and re.search(r"\d", attribution):
            return lines[:begin]
    return lines
