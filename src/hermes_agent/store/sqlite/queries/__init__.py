"""Named statements: a `*.sql` file holds several, each introduced by `-- name: …`."""

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def load(file: str) -> dict[str, str]:
    """The statements of `<file>.sql` in this folder, by name."""
    return statements(_FOLDER / f"{file}.sql")


@cache
def statements(path: Path) -> dict[str, str]:
    """The statements of a file, by name. It is read once a process."""
    text = path.read_text(encoding="utf-8")
    _, *parts = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}
