"""When a life ends: after a while, or at the very instant when something happens."""

import random
import subprocess
import threading
from pathlib import Path

INSTANTS = (
    "poll",
    "model asked",
    "tool ran",
    "send arrives",
    "send taken",
    "edit arrives",
    "edit taken",
)
"""`arrives`: nobody has seen it yet; `taken`: people see it and the daemon does not know."""

LONGEST = 0.6
_LOOK = 0.001


class Trap:
    """Kills one worker. `log` is the file that tool calls write to."""

    def __init__(self, chance: random.Random, worker: "subprocess.Popen[bytes]", log: Path) -> None:
        self._worker = worker
        self._log = log
        self._instant = chance.choice(INSTANTS) if chance.random() < 0.8 else None
        self._left = chance.choice((1, 1, 1, 2, 3))
        self._wait = chance.uniform(0.0, LONGEST) if self._instant is None else 2 * LONGEST
        self._lock = threading.Lock()
        self._sprung = threading.Event()

    def at(self, instant: str) -> None:
        """It happens now."""
        with self._lock:
            if instant != self._instant or self._sprung.is_set():
                return
            self._left -= 1
            if self._left == 0:
                self._worker.kill()
                self._sprung.set()

    def wait(self) -> str:
        """Until the worker is dead; says what it died at."""
        if self._instant == "tool ran":
            self._watch()
        caught = self._sprung.wait(self._wait)
        with self._lock:
            self._sprung.set()
        self._worker.kill()
        self._worker.wait()
        return self._instant if caught and self._instant else "any time"

    def _watch(self) -> None:
        """Look at the log from outside: nothing in the daemon waits for this."""
        size, over = _size(self._log), threading.Event()
        for _ in range(int(self._wait / _LOOK)):
            now = _size(self._log)
            if now != size:
                size = now
                self.at("tool ran")
            if self._sprung.is_set() or over.wait(_LOOK):
                return


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
