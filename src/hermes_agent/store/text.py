"""Text that every engine and every reader can hold."""

import re
import unicodedata

LONGEST_TITLE = 100
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text with NUL and lone surrogates replaced by U+FFFD.

    Neither survives the way to other engines, to a model or to a terminal.
    """
    return _UNSTORABLE.sub("\ufffd", text)


def clean_title(title: str) -> str | None:
    """One line, control and zero-width characters stripped, at most 100 characters.

    None when nothing is left: such a session has no title.
    """
    visible = "".join(
        " " if character.isspace() else character
        for character in title
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Cn")
    )
    return " ".join(visible.split())[:LONGEST_TITLE].rstrip() or None


def title_base(title: str) -> str:
    """The title without the ` #2` of its place in a lineage."""
    return re.sub(r" #\d+$", "", title)


def numbered_title(base: str, number: int) -> str:
    """`base #number`, cut so that the whole stays a valid title."""
    mark = f" #{number}"
    return base[: LONGEST_TITLE - len(mark)].rstrip() + mark
