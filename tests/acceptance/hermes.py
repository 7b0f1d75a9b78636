"""Drives `hermes` as a person or a script does: as a process."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LIMIT = 60
LEFT_OUT = ("_API_KEY", "_TOKEN", "_BASE_URL")


class Ran:
    """A finished run."""

    def __init__(self, done: "subprocess.CompletedProcess[bytes]") -> None:
        self.status = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines of `--json`."""
        return [json.loads(line) for line in self.out.splitlines()]


class Hermes:
    """One home, one folder to work in, one model server."""

    def __init__(self, home: Path, folder: Path, base_url: str) -> None:
        self.home = home
        self.folder = folder
        self.environ = {
            name: value for name, value in os.environ.items() if not name.endswith(LEFT_OUT)
        }
        self.environ |= {"HERMES_HOME": str(home), "PYTHONUNBUFFERED": "1"}
        self.prefix: list[str] = []
        """Words before the program: what it runs inside of."""
        home.mkdir(mode=0o700, exist_ok=True)
        (home / "config.yaml").write_text(
            f"model:\n  provider: custom\n  base_url: {base_url}\n  default: scripted-model\n"
        )

    def configure(self, text: str) -> None:
        """Add to config.yaml."""
        with (self.home / "config.yaml").open("a") as file:
            file.write(text)

    def run(self, *arguments: str, given: str | bytes = b"", **variables: str) -> Ran:
        """Run to the end; `given` is standard input."""
        return Ran(
            subprocess.run(
                [*self.prefix, sys.executable, "-m", "hermes_agent", *arguments],
                cwd=self.folder,
                env=self.environ | variables,
                input=given.encode() if isinstance(given, str) else given,
                capture_output=True,
                timeout=LIMIT,
                check=False,
            )
        )

    @contextmanager
    def started(self, *arguments: str) -> Generator["subprocess.Popen[bytes]"]:
        """A run in the background, killed at the end if it still runs."""
        process = subprocess.Popen(
            [*self.prefix, sys.executable, "-m", "hermes_agent", *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def messages(self) -> list[dict[str, Any]]:
        """The stored messages of the latest session."""
        listed = json.loads(self.run("sessions", "list", "--json").out)
        shown = json.loads(self.run("sessions", "show", listed[0]["id"], "--json").out)
        return shown["messages"]
