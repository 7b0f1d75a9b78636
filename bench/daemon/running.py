"""Runs the programs of this folder for a measure."""

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.stage import PROJECT, CannotMeasure, Stage

LIMIT = 900


def run(stage: Stage, program: str, *arguments: str) -> str:
    """What `python -m bench.daemon.PROGRAM ROOT …` printed, in a folder of its own.

    Raises `CannotMeasure` when it fails.
    """
    root = Path(tempfile.mkdtemp(dir=stage.root))
    done = subprocess.run(
        [sys.executable, "-m", f"bench.daemon.{program}", str(root), *arguments],
        cwd=PROJECT,
        env=stage.environ,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode:
        raise CannotMeasure(f"{program} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
