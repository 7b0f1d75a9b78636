"""Where measures happen: a home of their own, a folder to work in, a clean environment."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROJECT = Path(__file__).parent.parent
FLOORS = Path(__file__).parent / "floors"
KEPT = ("PATH", "LANG", "LC_ALL", "SHELL", "USER", "TZ")
MODEL = "scripted-model"


class CannotMeasure(Exception):
    """The program did not do what was to be measured; the message shows what it said."""


class Stage:
    """For the length of a `with` block.

    `runs` is how often a measure repeats itself. Children see `environ` only: no variable of
    the caller's Python, no key, no other home.
    """

    def __init__(self, *, runs: int) -> None:
        self.runs = runs
        self.root = Path(tempfile.mkdtemp(prefix="hermes-bench-"))
        self.home = self.root / "home"
        self.folder = self.root / "folder"
        self.home.mkdir(mode=0o700)
        self.folder.mkdir()
        self.environ = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environ |= {
            "HOME": str(self.root),
            "HERMES_HOME": str(self.home),
            "TERM": "xterm-256color",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def hermes(self, *arguments: str) -> list[str]:
        """The command line of `hermes`: as installed, else through the interpreter."""
        script = Path(sys.executable).parent / "hermes"
        start = [str(script)] if script.exists() else [sys.executable, "-m", "hermes_agent"]
        return [*start, *arguments]

    def floor(self, name: str, *arguments: str) -> list[str]:
        """The command line of the program `bench/floors/NAME.py`."""
        return [sys.executable, str(FLOORS / f"{name}.py"), *arguments]

    def tool(self, name: str, *arguments: str) -> list[str]:
        """The command line of the program `bench/NAME.py`."""
        return [sys.executable, str(FLOORS.parent / f"{name}.py"), *arguments]

    @property
    def bare_python(self) -> list[str]:
        """An interpreter that does nothing."""
        return [sys.executable, "-c", "pass"]

    def use(self, base_url: str) -> None:
        """Configure the model server at `base_url`, as a person would."""
        (self.home / "config.yaml").write_text(
            f"model:\n  provider: custom\n  base_url: {base_url}\n  default: {MODEL}\n"
        )

    @contextmanager
    def model_server(self, *options: str, script: Any = None) -> Generator[str]:
        """The scripted model server as a process, configured in the home; gives its base URL."""
        if script is not None:
            path = self.root / "script.json"
            path.write_text(json.dumps(script))
            options = ("--script", str(path), *options)
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.model", *options],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            base_url = server.stdout.readline().strip()
            self.use(base_url)
            yield base_url
        finally:
            server.terminate()
            server.wait(10)
