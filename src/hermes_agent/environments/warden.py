"""Nothing is left running when this process dies, not even by kill -9."""

import contextlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

_SCRIPT = Path(__file__).with_name("warden.sh")


class Warden:
    """A small shell beside us that knows what runs, and kills it when our end of a pipe closes.

    It is started with the first command and costs each command three short writes. Linux could do
    it for a direct child (PR_SET_PDEATHSIG), but not for grandchildren, and only from code that
    runs between fork and exec. It also removes the `scratch` directory. Where no shell can be
    started there is no warden.
    """

    def __init__(self, scratch: Callable[[], str | None] = lambda: None) -> None:
        self._scratch = scratch
        self._pipe: int | None = None
        self._started = False
        self._popen: subprocess.Popen[bytes] | None = None

    def expect(self, run: str) -> None:
        """All that carries the mark `run` ends with us; to be called before it is started."""
        if not self._started:
            self._started = True
            with contextlib.suppress(OSError):
                self._start()
        self._tell(f"+ {run} none\n")

    def watch(self, run: str, pid: int) -> None:
        """So does the process group that `pid` leads."""
        self._tell(f"+ {run} {pid}\n")

    def forget(self, run: str) -> None:
        """It has ended, or may live on."""
        self._tell(f"- {run}\n")

    def close(self) -> None:
        """Send the warden home. What it watched is killed."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        if self._popen is not None:
            self._popen.wait()
            self._popen = None

    def _start(self) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        try:
            self._popen = subprocess.Popen(
                ("/bin/sh", "-c", _SCRIPT.read_text(), "hermes-warden", self._scratch() or ""),
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": "/usr/bin:/bin"},
                start_new_session=True,
            )
            self._pipe = writing
        except OSError:
            os.close(writing)
            raise
        finally:
            os.close(reading)

    def _tell(self, line: str) -> None:
        if self._pipe is None:
            return
        try:
            os.write(self._pipe, line.encode())
        except BrokenPipeError:
            os.close(self._pipe)
            self._pipe = None
        except BlockingIOError:
            pass  # a stopped warden must not stop us
