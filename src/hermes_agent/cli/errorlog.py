"""`logs/errors.log`: faults that nobody foresaw, redacted; on the screen they would only harm."""

import logging
from collections.abc import Callable
from pathlib import Path

MAX_BYTES = 2 * 2**20
KEPT = 2
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class ErrorLog(logging.Handler):
    """Warnings and errors to a file that is turned over at 2 MB, two old ones kept.

    File and library are opened with the first record, which most runs never have. A disk that
    takes nothing costs the log only.
    """

    def __init__(self, path: Path, redact: Callable[[str], str]) -> None:
        super().__init__(logging.WARNING)
        self._path = path
        self._redact = redact
        self._file: logging.Handler | None = None
        self.setFormatter(logging.Formatter(_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            if self._file is None:
                self._file = self._open()
            line = logging.LogRecord(
                record.name, record.levelno, "", 0, "%s", (self._redact(self.format(record)),), None
            )
            self._file.emit(line)
        except OSError:
            return

    def _open(self) -> logging.Handler:
        from logging.handlers import RotatingFileHandler

        return RotatingFileHandler(
            self._path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8"
        )

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        super().close()


def log_errors(path: Path, redact: Callable[[str], str]) -> None:
    """From now on warnings and errors of this process go there, not to the terminal."""
    logging.raiseExceptions = False
    logging.getLogger().addHandler(ErrorLog(path, redact))
