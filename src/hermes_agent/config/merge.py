"""Layers of settings laid over each other; who set what is remembered."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

import msgspec

from hermes_agent.config.keys import join
from hermes_agent.config.reading import KeyPath

LayerName = Literal["config.yaml", "environment", "declaration", "credential", "flag"]


class Origin(msgspec.Struct, frozen=True):
    """Who set a key: the layer, and where in it (`line 12`, `HERMES_MODEL in .env`)."""

    layer: LayerName
    place: str = ""

    def __str__(self) -> str:
        return f"{self.layer}, {self.place}" if self.place else self.layer


class Layers:
    """The layers so far: `data` merged, `origins` by dotted key of every value set."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.origins: dict[str, Origin] = {}

    def lay(self, top: Mapping[str, Any], origin: Callable[[KeyPath], Origin]) -> None:
        """Put a layer on top: maps are merged, everything else is replaced."""
        self._lay(self.data, top, origin, ())

    def _lay(
        self,
        base: dict[str, Any],
        top: Mapping[str, Any],
        origin: Callable[[KeyPath], Origin],
        at: KeyPath,
    ) -> None:
        for key, value in top.items():
            path = (*at, key)
            if isinstance(value, dict):
                below: Any = base.get(key)
                if not isinstance(below, dict):
                    self._forget(path)
                    below = {}
                    base[key] = below
                if value:
                    self._lay(
                        cast("dict[str, Any]", below), cast("dict[str, Any]", value), origin, path
                    )
                else:
                    self.origins[join(path)] = origin(path)
                continue
            self._forget(path)
            base[key] = value
            self.origins[join(path)] = origin(path)

    def _forget(self, path: KeyPath) -> None:
        dotted = join(path)
        for key in [k for k in self.origins if k == dotted or k.startswith(dotted + ".")]:
            del self.origins[key]

    def origin_of(self, path: KeyPath) -> Origin | None:
        """Who set this value, or the list or map that it stands in."""
        for length in range(len(path), 0, -1):
            found = self.origins.get(join(path[:length]))
            if found is not None:
                return found
        return None


def at(data: Any, path: KeyPath) -> Any:
    """The value at a path; raises `KeyError` if there is none."""
    for part in path:
        if isinstance(data, dict):
            data = cast("dict[str, Any]", data)[str(part)]
        elif isinstance(data, list | tuple) and str(part).isdigit():
            items = cast("list[Any]", data)
            if int(part) >= len(items):
                raise KeyError(part)
            data = items[int(part)]
        else:
            raise KeyError(part)
    return data


def nested(path: KeyPath, value: Any) -> dict[str, Any]:
    """A map that holds one value at a path."""
    for part in reversed(path):
        value = {str(part): value}
    return cast("dict[str, Any]", value)
