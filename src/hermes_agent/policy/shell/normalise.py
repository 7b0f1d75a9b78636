"""The text that is shown, judged and run: nothing in it that a person cannot see."""

import re
import unicodedata

import msgspec

# ECMA-48 control sequences, operating system commands and two-byte escapes.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\Z)|\x1b[ -/]*[0-~]?", re.S
)
_SEEN = re.compile(r"[\t\n\x20-\x7e]*\Z")
_JOINER = "\u200d"
_FIRST_PICTOGRAPH = 0x203C
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))


class Normalised(msgspec.Struct, frozen=True):
    """`text` is what to show, judge and run. `hidden` says that invisible characters were taken
    out; `folded` is the compatibility form (NFKC) where that differs."""

    text: str
    hidden: bool = False
    folded: str | None = None


def normalise(command: str) -> Normalised:
    """Line ends made plain; escape sequences, control, zero-width, direction-changing and
    unassigned characters removed. Joiners inside emoji stay."""
    if _SEEN.match(command):
        return Normalised(command)
    text = command.replace("\r\n", "\n")
    plain = _ESCAPES.sub("", text)
    kept = "".join(c for i, c in enumerate(plain) if not _invisible(plain, i))
    folded = unicodedata.normalize("NFKC", kept)
    return Normalised(kept, kept != text, folded if folded != kept else None)


def _invisible(text: str, index: int) -> bool:
    char = text[index]
    if char in "\t\n" or " " <= char <= "~":
        return False
    if char == _JOINER:
        around = text[index - 1 : index] + text[index + 1 : index + 2]
        return not any(ord(c) >= _FIRST_PICTOGRAPH for c in around)
    # Blank to the eye, though Unicode calls them letters or marks.
    if char in "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2028\u2029":
        return True
    return unicodedata.category(char) in _HIDDEN
