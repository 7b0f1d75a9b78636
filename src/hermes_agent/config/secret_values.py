"""Which texts are blanked out wherever they turn up."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from hermes_agent.config import keys
from hermes_agent.config.schema import Config
from hermes_agent.config.secret_names import is_secret_variable, looks_secret

SHORTEST_SECRET = 8
"""Shorter values are not searched for: blanking them would garble ordinary text."""


def gather(environ: Mapping[str, str], data: dict[str, Any], more: Iterable[str]) -> frozenset[str]:
    """Values of secret variables, of secret keys, and `more`, none too short."""
    found = {value for name, value in environ.items() if is_secret_variable(name)}
    for value in more:
        found |= {value, value.rpartition(" ")[2], *value.splitlines()}
    _gather(data, keys.Shape(section=Config), secret=False, found=found)
    return frozenset(value for value in found if len(value) >= SHORTEST_SECRET)


def _gather(value: Any, shape: keys.Shape, *, secret: bool, found: set[str]) -> None:
    if isinstance(value, str):
        if secret or shape.secret:
            found.add(value)
            # `Authorization: Bearer TOKEN`: the token alone is as secret.
            found.add(value.rpartition(" ")[2])
        return
    if isinstance(value, list):
        for each in cast("list[Any]", value):
            _gather(each, keys.Shape(free=True), secret=secret, found=found)
        return
    if not isinstance(value, dict):
        return
    for key, each in cast("dict[str, Any]", value).items():
        if shape.section is not None:
            kinds = keys.fields(shape.section)
            inner = keys.shape(kinds[key]) if key in kinds else keys.Shape(free=True)
        else:
            inner = keys.shape(shape.values) if shape.values is not None else keys.Shape(free=True)
        named = shape.section is None and looks_secret(key)
        _gather(each, inner, secret=secret or named, found=found)
