"""The statements of jobs.sql by name."""

import re
from functools import cache
from pathlib import Path


@cache
def statements() -> dict[str, str]:
    """Each is introduced by `-- name: …`."""
    text = Path(__file__).with_name("jobs.sql").read_text("utf-8")
    _, *parts = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}
