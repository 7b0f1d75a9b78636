"""The daemon's log: `logs/gateway.log`, `logs/errors.log`, and standard error where somebody reads.

Records are made into lines where they arise and written by a thread of their own: a slow disk, a
stopped terminal or a journal that restarts cannot hold a message up. What cannot be written is
counted, and the number is told once it can.
"""

import contextlib
import logging
import os
import queue
import stat
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from hermes_agent.config.schema.safety import Logging
from hermes_agent.gateway import lines
from hermes_agent.gateway.logfile import LogFile
from hermes_agent.gateway.modes import file_mode

OWN = "hermes_agent"
ERRORS_BYTES = 2 * 2**20
ERRORS_KEPT = 2
MOST_WAITING = 10_000
_CLOSING_SECONDS = 5.0

_PRIORITIES = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}
"""Those of syslog(3), as sd-daemon(3) wants them before a line."""

_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "message",
    "asctime",
    "taskName",
}

_KNOWN_LEVELS = logging.getLevelNamesMapping()


class _Entry(NamedTuple):
    at: float
    level: str
    name: str
    text: str


class GatewayLog(logging.Handler):
    """Every record of the process as a line to the files and to standard error.

    `redact` blanks secrets. `logger.info("sent", extra={"chat": 42})` becomes `… sent chat=42`.
    """

    def __init__(
        self,
        home: Path,
        settings: Logging,
        redact: Callable[[str], str],
        *,
        screen: "Callable[[_Entry], None] | None",
    ) -> None:
        super().__init__()
        self._redact = redact
        self._screen = screen
        mode = file_mode(home)
        folder = home / "logs"
        self._folder = folder
        self._all = LogFile(
            folder / "gateway.log",
            most=settings.max_size_mb * 2**20,
            kept=settings.backup_count,
            mode=mode,
        )
        self._errors = LogFile(
            folder / "errors.log", most=ERRORS_BYTES, kept=ERRORS_KEPT, mode=mode
        )
        self._waiting: queue.Queue[_Entry | None] = queue.Queue(MOST_WAITING)
        self.lost = 0
        """Records that could not be written."""
        self._told = 0
        self._writer = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._writer.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record; never waits, never fails."""
        try:
            self._waiting.put_nowait(self._entry(record))
        except queue.Full:
            self.lost += 1
        except Exception as error:  # noqa: BLE001  a record whose arguments do not fit its text
            place = f"{record.pathname}:{record.lineno}"
            text = f"a record from {place} cannot be written: {type(error).__name__}"
            logging.getLogger(__name__).error(text)

    def adjust(self, settings: Logging) -> None:
        """Take over new settings."""
        self._all.limit(most=settings.max_size_mb * 2**20, kept=settings.backup_count)

    def settle(self) -> None:
        """Return once what was logged before is written, or could not be."""
        self._waiting.join()

    def close(self) -> None:
        """Write what waits and stop; a disk or terminal that hangs is not waited for long."""
        if self._writer.is_alive():
            try:
                self._waiting.put(None, timeout=_CLOSING_SECONDS)
                self._writer.join(_CLOSING_SECONDS)
            except queue.Full:
                pass
        super().close()

    def _entry(self, record: logging.LogRecord) -> _Entry:
        text = record.getMessage()
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if extra:
            text += lines.fields(extra)
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        name = record.name.removeprefix(f"{OWN}.").removeprefix("gateway.")
        level = record.levelname if record.levelname in _PRIORITIES else "INFO"
        return _Entry(record.created, level, name or OWN, self._redact(text))

    def _write_all(self) -> None:
        while True:
            entry = self._waiting.get()
            if entry is None:
                break
            if self._write(entry) and self._waiting.empty():
                self._tell_losses()
            self._waiting.task_done()
        self._tell_losses()
        self._all.close()
        self._errors.close()

    def _share_folder(self) -> None:
        """Open it to whom the home is open, where a confined service may set such modes."""
        with contextlib.suppress(OSError):
            self._folder.chmod(stat.S_IMODE(self._folder.parent.stat().st_mode))

    def _tell_losses(self) -> None:
        lost = self.lost - self._told
        if lost:
            text = f"{lost} log records could not be written"
            if self._write(_Entry(time.time(), "WARNING", "log", text)):
                self._told += lost

    def _write(self, entry: _Entry) -> bool:
        if self._screen is not None:
            try:
                self._screen(entry)
            except BlockingIOError:
                pass  # a terminal that takes no more just now
            except OSError:
                self._screen = None  # the terminal is gone
        line = lines.write(*entry)
        try:
            if not self._folder.is_dir():
                self._folder.mkdir(mode=0o700, exist_ok=True)
                self._share_folder()
            self._all.write(line)
            if entry.level in ("WARNING", "ERROR", "CRITICAL"):
                self._errors.write(line)
        except OSError:
            self.lost += 1
            return False
        return True


def start(
    home: Path,
    settings: Logging,
    redact: Callable[[str], str],
    *,
    verbose: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> GatewayLog:
    """From now on everything that this process logs goes there; `stop` ends it.

    Our own records count from `logging.level` on, with `verbose` all; of libraries, warnings.
    """
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    handler = GatewayLog(home, settings, redact, screen=_screen(environ))
    logging.getLogger().addHandler(handler)
    set_level(settings, verbose=verbose)
    return handler


def set_level(settings: Logging, *, verbose: bool = False) -> None:
    """Choose what counts."""
    level = logging.DEBUG if verbose else _KNOWN_LEVELS[settings.level]
    logging.getLogger(OWN).setLevel(level)
    logging.getLogger().setLevel(max(level, logging.WARNING))


def stop(handler: GatewayLog) -> None:
    """Write what waits, and log nowhere any more."""
    logging.getLogger().removeHandler(handler)
    logging.captureWarnings(False)
    handler.close()


def _screen(environ: Mapping[str, str]) -> "Callable[[_Entry], None] | None":
    try:
        about = os.fstat(2)
    except OSError:
        return None
    if environ.get("JOURNAL_STREAM", "") == f"{about.st_dev}:{about.st_ino}":
        return _to_journal
    # A regular file or /dev/null is nobody reading along: the log has its own files.
    if os.isatty(2) or stat.S_ISFIFO(about.st_mode) or stat.S_ISSOCK(about.st_mode):
        return _to_terminal
    return None


def _to_journal(entry: _Entry) -> None:
    """The journal has its own clock and levels; systemd.exec(5) says how it knows the level."""
    text = lines.harmless(f"{entry.name}: {entry.text}")
    _print(f"<{_PRIORITIES[entry.level]}>{text}\n")


def _to_terminal(entry: _Entry) -> None:
    _print(lines.write(*entry) + "\n")


def _print(text: str) -> None:
    os.write(2, text.encode("utf-8", "backslashreplace"))
