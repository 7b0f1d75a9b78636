"""Faults that nobody foresaw go to a file; on the screen they would tear the chat apart."""

import logging
import logging.handlers
from collections.abc import Callable
from pathlib import Path

MAX_BYTES = 1_000_000
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Redacting(logging.Formatter):
    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__(_FORMAT)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


def keep_errors(folder: Path, redact: Callable[[str], str]) -> None:
    """From now on warnings and errors of this process go to `folder`/errors.log, redacted.

    The file is made with the first of them, and turned over at one megabyte. A disk that takes
    nothing costs the log only.
    """
    logging.raiseExceptions = False
    handler = logging.handlers.RotatingFileHandler(
        folder / "errors.log", maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8", delay=True
    )
    handler.setFormatter(_Redacting(redact))
    handler.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    logging.getLogger().addHandler(handler)
