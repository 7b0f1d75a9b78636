"""What is known about models by name (`models.json`)."""

from functools import cache
from pathlib import Path

import msgspec


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row: window and longest answer in tokens; None where it is not known.

    `name` is the beginning of a model's name, in lower case, dots as dashes, without the part
    before the last slash. The longest one that fits counts.
    """

    name: str
    context: int
    output: int | None = None


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`as_of` is the day on which the rows were checked."""

    as_of: str
    models: tuple[Known, ...]


@cache
def _table() -> _Table:
    return msgspec.json.decode(Path(__file__).with_name("models.json").read_bytes(), type=_Table)


def known(model: str) -> Known | None:
    """What the table says about this model. A server's own word outranks it."""
    bare = model.rpartition("/")[2].lower().replace(".", "-").replace(":", "-")
    rows = [row for row in _table().models if bare.startswith(row.name)]
    return max(rows, key=lambda row: len(row.name), default=None)
