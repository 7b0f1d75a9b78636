"""Large pastes: kept in a file, shown as a reference, told to the model in full."""

import contextlib
import re
import time
from pathlib import Path

MIN_NEWLINES = 5
MIN_CHARS = 8_000
_REFERENCE = re.compile(r"\[pasted (\d{8}_\d{6}_\d+): \d+ lines?\]")


class Pastes:
    """The pastes that are kept in `folder`. A reference in a line of an earlier chat is found
    there again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts: dict[str, str] = {}

    def take(self, text: str) -> str:
        """What to put into the input line: the text itself, or a reference to it."""
        if text.count("\n") < MIN_NEWLINES and len(text) < MIN_CHARS:
            return text
        name = f"{time.strftime('%Y%m%d_%H%M%S')}_{len(self._texts) + 1}"
        self._texts[name] = text
        # On a full or read-only disk the paste still reaches the model; later chats miss it.
        with contextlib.suppress(OSError):
            self._save(name, text)
        lines = text.count("\n") + 1
        return f"[pasted {name}: {lines} {'line' if lines == 1 else 'lines'}]"

    def expand(self, line: str) -> str:
        """The line with every reference that is known replaced by its text."""
        return _REFERENCE.sub(lambda found: self._text(found.group(1)) or found.group(0), line)

    def _text(self, name: str) -> str | None:
        if name not in self._texts:
            try:
                return (self._folder / f"{name}.txt").read_text("utf-8", "replace")
            except OSError:
                return None
        return self._texts[name]

    def _save(self, name: str, text: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{name}.txt"
        path.touch(mode=0o600)
        path.write_text(text, "utf-8", "replace")
