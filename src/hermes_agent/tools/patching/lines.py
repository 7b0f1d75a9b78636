"""When two lines are the same to a person, and how one block's indentation becomes another's."""

from collections.abc import Sequence

import msgspec

_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′", "'"),
        **dict.fromkeys("“”„‟″", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2009\u200a\u202f\u3000", " "),
        **dict.fromkeys("\u200b\u2060\ufeff", ""),
        "…": "...",
    }
)


def squeezed(line: str) -> str:
    """Without any white space."""
    return "".join(line.split())


def plain_typography(line: str) -> str:
    """With typewriter quotes and dashes, and single spaces."""
    return " ".join(line.translate(_TYPOGRAPHY).split())


def indent(line: str) -> str:
    """The white space before the first character."""
    return line[: len(line) - len(line.lstrip())]


class Indents(msgspec.Struct, frozen=True):
    """Which indentation of the model's text stands for which in the file.

    `uniform` when each stands for one only, and all are further in or out by the same.
    """

    known: dict[str, str]
    uniform: bool

    @classmethod
    def between(cls, written: Sequence[str], there: Sequence[str]) -> "Indents":
        """From lines that were found to be the same."""
        pairs = [
            (indent(ours), indent(theirs))
            for ours, theirs in zip(written, there, strict=True)
            if ours.strip()
        ]
        known: dict[str, str] = {}
        for ours, theirs in pairs:
            known.setdefault(ours, theirs)
        shifts = {_shift(ours, theirs) for ours, theirs in pairs}
        return cls(known, uniform=len(shifts) == 1 and None not in shifts)

    def apply(self, text: str) -> str:
        """`text` with its indentation brought to the file's."""
        if all(ours == theirs for ours, theirs in self.known.items()):
            return text
        return "\n".join(self.line(line) for line in text.split("\n"))

    def line(self, line: str) -> str:
        """One line; an indentation never seen goes by the longest known beginning of it."""
        if not line.strip():
            return line
        own = indent(line)
        begins = [known for known in self.known if own.startswith(known)]
        if not begins:
            return line
        best = max(begins, key=len)
        return self.known[best] + line[len(best) :]


def _shift(ours: str, theirs: str) -> tuple[bool, str] | None:
    """What to put before (or take from) one indentation to have the other."""
    if theirs.endswith(ours):
        return (True, theirs[: len(theirs) - len(ours)])
    if ours.endswith(theirs):
        return (False, ours[: len(ours) - len(theirs)])
    return None
