"""Named statements: each `*.sql` here holds several, introduced by `-- name: …`."""

import re
from functools import cache
from pathlib import Path


@cache
def load(file: str) -> dict[str, str]:
    """The statements of `<file>.sql` by name."""
    text = (Path(__file__).parent / f"{file}.sql").read_text(encoding="utf-8")
    _, *parts = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}
