"""Tools that others bring: what is known of one, and what a call of it gives."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from hermes_agent.domain.messages import Image


class OutsideTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool of a source. `name` is unique among all sources; `parameters` is a JSON Schema.

    `source` names who brings it; what it says about itself is data, not instruction. `warning` is
    for the model and the person: the description reads like an attack, or is another one than when
    it was first seen.
    """

    name: str
    source: str
    description: str
    parameters: dict[str, Any]
    warning: str = ""


class OutsideResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a call gave: text, or data, and pictures; `ok` False means that the tool itself says it
    failed."""

    data: dict[str, object] | str
    ok: bool = True
    images: tuple[Image, ...] = ()


class ToolSource(Protocol):
    """Servers that bring tools. Nothing here may take the agent along when they fail."""

    @property
    def names(self) -> tuple[str, ...]:
        """The servers that are configured and turned on, for the prompt; the same at each call."""
        ...

    async def tools(self) -> Sequence[OutsideTool]:
        """All tools of the servers that are there. Those that are still connecting are waited
        for, each at most its own time."""
        ...

    async def absent(self) -> dict[str, str]:
        """The servers that are not there, and why."""
        ...

    def accept(self, tool: OutsideTool) -> None:
        """A person said that the tool is fine as it describes itself now."""
        ...

    async def call(self, name: str, arguments: dict[str, Any]) -> OutsideResult:
        """Run one. Raises `NotFoundError` for an unknown tool, `EnvironmentFault` where its
        server vanished or took too long."""
        ...
