"""Large pastes: kept in a file, shown as a reference, told to the model in full."""

import re
import time
from pathlib import Path

MIN_NEWLINES = 5
_REFERENCE = re.compile(r"\[pasted text (\d+): \d+ lines\]")


class Pastes:
    """The pastes of one chat; files go to `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts: dict[str, str] = {}

    def take(self, text: str) -> str:
        """What to put into the input line: the text itself, or a reference to it."""
        if text.count("\n") < MIN_NEWLINES:
            return text
        number = str(len(self._texts) + 1)
        self._texts[number] = text
        self._save(number, text)
        return f"[pasted text {number}: {text.count(chr(10)) + 1} lines]"

    def expand(self, line: str) -> str:
        """The line with every reference replaced by its text."""
        return _REFERENCE.sub(lambda m: self._texts.get(m.group(1), m.group(0)), line)

    def _save(self, number: str, text: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{time.strftime('%Y%m%d_%H%M%S')}_{number}.txt"
        path.write_text(text, "utf-8")
        path.chmod(0o600)
