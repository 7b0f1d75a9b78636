"""How much room text takes on a terminal, counted in columns.

Source of the widths: Unicode Standard Annex 11 (wide and fullwidth take two columns).
"""

import unicodedata


def width(text: str) -> int:
    """Columns of a line without escape sequences."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def fit(text: str, columns: int) -> str:
    """`text`, or its beginning and “…”, in at most `columns` columns."""
    if width(text) <= columns:
        return text
    room = columns - 1
    for index, char in enumerate(text):
        room -= _columns(char)
        if room < 0:
            return text[:index] + "…" if columns > 0 else ""
    return text


def last_rows(text: str, *, rows: int, columns: int) -> list[str]:
    """The last lines of `text` that fill at most `rows` rows of `columns` columns.

    Of a line that is longer than all rows its end is kept.
    """
    kept: list[str] = []
    for line in reversed(text.split("\n")):
        needed = max(1, -(-width(line) // columns))
        if needed > rows:
            if not kept:
                kept.append(line[-rows * columns // 2 :])
            break
        kept.append(line)
        rows -= needed
    return kept[::-1]


def _columns(char: str) -> int:
    if unicodedata.east_asian_width(char) in ("W", "F"):
        return 2
    return 0 if unicodedata.category(char) in ("Mn", "Me", "Cf") else 1
