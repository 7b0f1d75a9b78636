"""The fixed texts, each in a file of its own."""

from functools import cache
from pathlib import Path

_TEXTS = Path(__file__).parent / "texts"


@cache
def text(name: str) -> str:
    """The text called `name`, without the line break at its end."""
    return (_TEXTS / f"{name}.md").read_text("utf-8").strip()
