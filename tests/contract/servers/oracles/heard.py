"""What an oracle is: a vendor's client that reports what it understood."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"command": {"type": "string"}},
    "required": ["command"],
}


@dataclass
class Heard:
    """What a client understood. `calls` are (id, name, arguments)."""

    text: str = ""
    reasoning: str = ""
    signature: str = ""
    calls: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])
    finish: str = ""
    input: int = 0
    output: int = 0
    cache_read: int = 0
    thought: int = 0
    text_pieces: int = 0


class Oracle(Protocol):
    """A client bound to a server. `finishes` maps our words to the vendor's; `refused` is its
    error class for an HTTP status, `base` the root of its errors."""

    dialect: str
    streams: bool
    finishes: ClassVar[Mapping[str, str]]
    refused: type[Exception]
    base: type[Exception]

    def ask(self) -> Heard:
        """Send the question and read the answer."""
        ...

    def status_of(self, error: Exception) -> int:
        """The HTTP status in a `refused` error."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...


def parsed(text: str) -> Any:
    """JSON, or the text itself when it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text
