"""What tools said about themselves when they were first met, so that a change is noticed.

A server that is trusted because its tools look harmless may describe them in another way later.
The file is `mcp_tools.json` in HERMES_HOME: server, tool, SHA-256 of description and parameters.
"""

import hashlib
from pathlib import Path

import msgspec

from hermes_agent.config.files import NotWritten, write_atomically
from hermes_agent.domain.outside import OutsideTool

_MOST_BYTES = 4 * 1024 * 1024


class SeenTools:
    """The file. One that is damaged or cannot be written counts as empty: every tool is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, dict[str, str]] | None = None
        self._unsaved = False

    def changed(self, tool: OutsideTool) -> bool:
        """Whether it says something else now. A tool that was never met is remembered."""
        known = self._load().setdefault(tool.source, {})
        before = known.get(tool.name)
        if before is None:
            self.accept(tool)
            return False
        return before != _digest(tool)

    def accept(self, tool: OutsideTool) -> None:
        """What it says now is what it said, from the next `save` on."""
        self._load().setdefault(tool.source, {})[tool.name] = _digest(tool)
        self._unsaved = True

    def save(self) -> None:
        """Write down what is new."""
        if not self._unsaved:
            return
        self._unsaved = False
        try:
            write_atomically(self._path, msgspec.json.encode(self._known, order="sorted"))
        except NotWritten:
            return

    def _load(self) -> dict[str, dict[str, str]]:
        if self._known is None:
            try:
                with self._path.open("rb") as file:
                    self._known = msgspec.json.decode(
                        file.read(_MOST_BYTES), type=dict[str, dict[str, str]]
                    )
            except (OSError, msgspec.DecodeError):
                self._known = {}
        return self._known


def _digest(tool: OutsideTool) -> str:
    said = msgspec.json.encode((tool.description, tool.parameters), order="sorted")
    return hashlib.sha256(said).hexdigest()
