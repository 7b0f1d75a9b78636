"""The tools' schemas as the model sees them: one JSON file each, sent compact."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from hermes_agent.domain.model import ToolSpec

_FOLDER = Path(__file__).parent / "builtin"


@cache
def load(module: str, folder: Path = _FOLDER) -> ToolSpec:
    """The schema of one tool. The same file always gives the same bytes."""
    compact = msgspec.json.format((folder / f"{module}.json").read_bytes(), indent=-1)
    return msgspec.json.decode(compact, type=ToolSpec)


def load_all(modules: Iterable[str], folder: Path = _FOLDER) -> tuple[ToolSpec, ...]:
    """The schemas in the order given."""
    return tuple(load(module, folder) for module in modules)
