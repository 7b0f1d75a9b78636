"""What was typed before: the history file of the input line."""

from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit.history import FileHistory


class KeptHistory(FileHistory):
    """A history file that nobody else may read. A disk that fails costs the history only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__(str(path))

    def load_history_strings(self) -> Iterable[str]:
        """Latest first."""
        try:
            return list(super().load_history_strings())
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        """Append it."""
        try:
            self._path.touch(mode=0o600)
            super().store_string(string.encode("utf-8", "replace").decode())
        except OSError:
            return
