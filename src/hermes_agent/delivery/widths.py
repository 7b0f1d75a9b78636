"""How wide a text stands in a font of one width."""

import unicodedata


def width(text: str) -> int:
    """Columns: two for wide characters, none for combining ones (Unicode Annex 11)."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
