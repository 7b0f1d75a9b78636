"""Costs of whole processes: medians over runs that alternate between what is compared."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.stage import CannotMeasure, Stage

LAUNCHER = str(Path(__file__).parent / "launch.py")
LIMIT = 180.0
Command = list[str]


@dataclass(frozen=True)
class Cost:
    """Of one process and its children: milliseconds of CPU and of wall time, peak RSS in MB."""

    cpu: float
    wall: float
    peak: float


def run(stage: Stage, command: Command) -> Cost:
    """What one run costs. Raises `CannotMeasure` when the command fails."""
    output = stage.root / "output"
    done = subprocess.run(
        [sys.executable, "-I", "-S", LAUNCHER, str(output), *command],
        cwd=stage.folder,
        env=stage.environ,
        stdout=subprocess.PIPE,
        timeout=LIMIT,
        check=True,
    )
    found = json.loads(done.stdout)
    if found["status"] != 0:
        told = Path(f"{output}.err").read_text(encoding="utf-8", errors="replace")
        raise CannotMeasure(f"{' '.join(command)} ended with {found['status']}:\n{told[-2000:]}")
    return Cost(found["cpu"] * 1000, found["wall"] * 1000, found["peak"] * 1024 / 1e6)


def medians(
    stage: Stage, commands: Mapping[str, Command], *, runs: int | None = None
) -> dict[str, Cost]:
    """The medians of each command by its name.

    All are run once to warm caches, then in turns, so that a busy moment of the machine falls
    on the program and on its floor alike.
    """
    found: dict[str, list[Cost]] = {name: [] for name in commands}
    for command in commands.values():
        run(stage, command)
    for _ in range(runs or stage.runs):
        for name, command in commands.items():
            found[name].append(run(stage, command))
    return {
        name: Cost(
            cpu=median(cost.cpu for cost in costs),
            wall=median(cost.wall for cost in costs),
            peak=median(cost.peak for cost in costs),
        )
        for name, costs in found.items()
    }
