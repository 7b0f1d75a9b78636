"""Drives the interactive chat as a person does: in tmux, by keys and by looking at the screen."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from tests.acceptance.hermes import Hermes

LIMIT = 20.0
GUARD = 0.6
"""Seconds; a question takes no keys in its first half second."""
needs_tmux = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="tmux is not installed: NO TEST OF THE INTERACTIVE CHAT"
)


class Tmux:
    """One pane of a tmux server of its own, with a chat in it."""

    def __init__(
        self,
        hermes: Hermes,
        *arguments: str,
        columns: int = 100,
        rows: int = 30,
        shell: bool = False,
        **variables: str,
    ) -> None:
        self._status = hermes.folder.parent / "status"
        self._status.unlink(missing_ok=True)
        # tmux wants a short path for its socket, shorter than some temporary folders.
        self._name = f"hermes-{os.getpid()}-{time.monotonic_ns()}"
        command = shlex.join([*hermes.prefix, sys.executable, "-m", "hermes_agent", *arguments])
        environ = hermes.environ | {"PS1": "$ "}
        environ = {k: v for k, v in environ.items() if k not in ("TMUX", "NO_COLOR", "TERM")}
        exports = [arg for k, v in variables.items() for arg in ("-e", f"{k}={v}")]
        self._run(
            "-f", os.devnull, "new-session", "-d", "-x", str(columns), "-y", str(rows),
            "-c", str(hermes.folder), *exports,
            "bash --norc -i" if shell else
            f"{self._prefix(variables)}{command}; echo $? > {shlex.quote(str(self._status))}; "
            "echo; echo LEFT; exec sleep 600",
            environ=environ,
        )  # fmt: skip
        if shell:
            self.see("bash")
            self.type("-l", command)
            self.type("Enter")

    @staticmethod
    def _prefix(variables: dict[str, str]) -> str:
        # tmux sets TERM itself, so one of our own has to stand before the command.
        return "".join(f"{k}={shlex.quote(v)} " for k, v in variables.items() if k == "TERM")

    def type(self, *keys: str) -> None:
        """Press keys: names of tmux (`Enter`, `C-c`), or text."""
        self._run("send-keys", "-t", "0", *keys)

    def answer(self, key: str) -> None:
        """Press a key at a question, once it has been there long enough to take one."""
        seen = time.monotonic()
        self.until(lambda _: time.monotonic() - seen > GUARD)
        self.type(key)

    def say(self, text: str) -> None:
        """Type a line and send it."""
        self._run("send-keys", "-t", "0", "-l", text)
        self.see(text[:60])
        self.type("Enter")

    def paste(self, text: str) -> None:
        """As a terminal pastes, in brackets."""
        subprocess.run(
            ["tmux", "-L", self._name, "load-buffer", "-"], input=text.encode(), check=True
        )
        self._run("paste-buffer", "-p", "-t", "0")

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size."""
        self._run("resize-window", "-t", "0", "-x", str(columns), "-y", str(rows))

    def screen(self, *, scrollback: bool = False, colours: bool = False) -> str:
        """What is to be seen now."""
        more = (*(["-S", "-"] if scrollback else []), *(["-e"] if colours else []))
        return self._run("capture-pane", "-p", "-t", "0", *more)

    def ask(self, form: str) -> str:
        """A format of tmux, such as `#{pane_title}`."""
        return self._run("display-message", "-p", "-t", "0", form).strip()

    def see(self, text: str, *, seconds: float = LIMIT) -> str:
        """Wait until `text` is on the screen; returns the screen."""
        return self.until(lambda screen: text in screen, f"“{text}” never showed", seconds)

    def see_not(self, text: str) -> str:
        """Wait until `text` is no longer on the screen."""
        return self.until(lambda screen: text not in screen, f"“{text}” never went", LIMIT)

    def until(
        self, holds: Callable[[str], bool], complaint: str = "it never came", seconds: float = LIMIT
    ) -> str:
        """Wait until the screen is such."""
        deadline = time.monotonic() + seconds
        while not holds(screen := self.screen()):
            assert time.monotonic() < deadline, f"{complaint}:\n{self.screen(scrollback=True)}"
            time.sleep(0.01)
        return screen

    def ready(self, mark: str = "❯") -> "Tmux":
        """Wait for the input line with nothing going on."""
        self.until(lambda s: f"\n{mark}" in s and "Ctrl-C stops" not in s, "no prompt")
        return self

    def left(self) -> int:
        """Wait until the program has ended; its exit status."""
        deadline = time.monotonic() + LIMIT
        while not (self._status.exists() and self._status.read_text().strip()):
            assert time.monotonic() < deadline, f"it never left:\n{self.screen()}"
            time.sleep(0.01)
        return int(self._status.read_text())

    @property
    def pid(self) -> int:
        """The chat's process."""
        shell = int(self.ask("#{pane_pid}"))
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        return int(children[0]) if children else shell

    def kill_pane(self) -> None:
        """As when the window is closed."""
        self._run("kill-pane", "-t", "0")

    def close(self) -> None:
        """End the tmux server, and what runs in it."""
        subprocess.run(["tmux", "-L", self._name, "kill-server"], capture_output=True, check=False)

    def _run(self, *arguments: str, environ: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-L", self._name, *arguments],
            env=environ,
            capture_output=True,
            check=False,
            timeout=LIMIT,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "replace")


class OpenChat(Protocol):
    """Opens a chat; `variables` are set for it."""

    def __call__(
        self,
        *arguments: str,
        columns: int = 100,
        rows: int = 30,
        shell: bool = False,
        mark: str = "❯",
        **variables: str,
    ) -> Tmux:
        """Ready for the first line, which begins with `mark`; with `shell` out of a shell."""
        ...


def without_empty_lines(screen: str) -> list[str]:
    """The lines that say something, without the spaces at their ends."""
    return [line.rstrip() for line in re.split(r"\n", screen) if line.strip()]
