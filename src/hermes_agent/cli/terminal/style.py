"""Colours, or none: NO_COLOR, TERM=dumb and anything that is no terminal get plain text."""

import os
import sys
from typing import Literal, TextIO

Colour = Literal["dim", "bold", "red", "green", "yellow", "blue", "cyan", "magenta"]
_CODES: dict[Colour, str] = {
    "dim": "2",
    "bold": "1",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
    "magenta": "35",
}


def coloured(stream: TextIO = sys.stdout) -> bool:
    """Whether colours may be written to `stream`. Source: no-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: Colour, *, on: bool = True) -> str:
    """`text` in a colour, or as it is."""
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if on and text else text
