"""`cron/output/<job>/<YYYY-MM-DD_HH-MM-SS>.md`: what runs gave, the newest of each job."""

import os
from datetime import datetime
from pathlib import Path

import msgspec

from hermes_agent.config.files import write_atomically
from hermes_agent.domain.execution import CommandResult
from hermes_agent.domain.jobs import Job


class Outputs:
    """The files of all jobs. `retention` counts those kept of each."""

    def __init__(self, folder: Path, *, retention: int) -> None:
        self._folder = folder
        self._retention = retention

    def path(self, job: Job, due: datetime) -> Path:
        """The file of one run."""
        return self._folder / job.id / f"{due:%Y-%m-%d_%H-%M-%S}.md"

    def write(self, job: Job, due: datetime, text: str, error: str) -> Path | None:
        """Keep what a run gave and drop the oldest; None where none is kept. Raises `NotWritten`,
        `OSError`."""
        path = self.path(job, due)
        if not self._retention:
            return None
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = f"failed: {error}" if error else "ok"
        head = f"# {job.name}\n\n- Job: {job.id}\n- Due: {due.isoformat()}\n- Status: {status}\n"
        prompt = f"\n## Prompt\n\n{job.prompt}\n" if job.prompt else ""
        write_atomically(path, f"{head}{prompt}\n## Output\n\n{text}\n".encode("utf-8", "replace"))
        for old in sorted(path.parent.glob("*.md"))[: -self._retention]:
            old.unlink(missing_ok=True)
        return path


class ScriptRun(msgspec.Struct, frozen=True):
    """A script's run as its note has it; `result` None while it runs, or when it was cut off."""

    result: CommandResult | None = None


class ScriptNotes:
    """Which scripts were begun and how they ended, so that none is silently run twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begun(self, turn: str) -> ScriptRun | None:
        """The run of this turn, if it was begun."""
        try:
            return msgspec.json.decode(self._path(turn).read_bytes(), type=ScriptRun)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return ScriptRun()

    def note(self, turn: str, run: ScriptRun) -> None:
        """Keep it. Raises `NotWritten`, `OSError`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self._path(turn), msgspec.json.encode(run))

    def prune(self, before: float) -> None:
        """Forget those that were written before then."""
        try:
            entries = list(os.scandir(self._folder))
        except OSError:
            return
        for entry in entries:
            if entry.stat(follow_symlinks=False).st_mtime < before:
                Path(entry.path).unlink(missing_ok=True)

    def _path(self, turn: str) -> Path:
        name = "".join(c if c.isalnum() or c in "-_" else "_" for c in turn)
        return self._folder / f"{name}.json"
