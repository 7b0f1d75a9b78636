"""What is known about models by name (`models.toml`)."""

import datetime
import tomllib
from functools import cache
from importlib.resources import files

import msgspec


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Window and longest answer in tokens; None where it is not known."""

    name: str
    context: int
    output: int | None = None


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    as_of: datetime.date
    model: tuple[Known, ...]


@cache
def _table() -> _Table:
    text = files("hermes_agent.providers").joinpath("models.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Table)


def known(model: str) -> Known | None:
    """The row whose name is the longest beginning of this model's."""
    bare = model.rpartition("/")[2].lower().replace(".", "-").replace(":", "-")
    rows = [row for row in _table().model if bare.startswith(row.name)]
    return max(rows, key=lambda row: len(row.name), default=None)
