"""Text from outside made fit for a terminal: models, tools, files and titles may hold anything.

`clean` is for text, `visible` for what a person has to judge, `only_colours` for what we have
coloured ourselves. Source of the sequences: ECMA-48, 5th edition, sections 5 and 8.3.
"""

import re

_STRINGS = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])"
_SEQUENCE = re.compile(
    rf"{_STRINGS}[^\x07\x1b\x9c]{{0,4096}}(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[ -/]+[0-~]|\x1b[0-Z\\\]^_`-~]"  # the others; the second byte of a torn one stays out
)
_TORN = re.compile(
    rf"(?:{_STRINGS}[^\x07\x1b\x9c]{{0,4096}}\x1b?|(?:\x1b\[|\x9b)[0-?]*[ -/]*|\x1b[ -/]*)\Z"
)
_HARMFUL = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"
    # Marks that reorder or hide text on the screen, and halves of characters.
    r"\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    r"\U000e0000-\U000e007f"
)
_REMOVED = re.compile(f"[{_HARMFUL}]")
_OURS = re.compile(r"(\x1b\[[0-9;]*m)")
_OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n|\Z)")


def clean(text: str) -> str:
    """`text` without escape sequences and control characters; line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return _REMOVED.sub("", _SEQUENCE.sub("", text))


def one_line(text: str) -> str:
    """`text` cleaned, its line ends and runs of spaces as one space."""
    return " ".join(clean(text).split())


def visible(text: str) -> str:
    """`text` with every such character spelled out: nothing can hide in it, nothing acts."""
    return _REMOVED.sub(_spelled, text).expandtabs(4)


def overwritten(text: str) -> str:
    """What a terminal would show of lines that return to their start, as progress bars do."""
    return _OVERWRITTEN.sub("", text)


def only_colours(text: str) -> str:
    """`text` with nothing that acts on a terminal but colours (SGR)."""
    parts = _OURS.split(text)
    return "".join(part if index % 2 else clean(part) for index, part in enumerate(parts))


class Cleaner:
    """`clean` for text that comes in pieces: a sequence may be cut anywhere."""

    def __init__(self) -> None:
        self._held = ""

    def push(self, text: str) -> str:
        """What of the text so far may be shown."""
        text = self._held + text
        torn = _TORN.search(text)
        self._held = torn.group() if torn and len(torn.group()) < 4096 else ""
        return clean(text[: -len(self._held)] if self._held else text)

    def flush(self) -> str:
        """The rest, when nothing more comes."""
        rest, self._held = self._held, ""
        return clean(rest)


def _spelled(match: "re.Match[str]") -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"\\u{{{code:x}}}"
