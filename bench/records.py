"""What is kept of a run: everything as JSON, and the ratios that later runs are held to.

Figures in milliseconds belong to one machine and one hour; the ratio to a floor measured in the
same run travels. So the baseline holds ratios alone.
"""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.figures import Figure

FOLDER = Path(__file__).parent
BASELINE = FOLDER / "baseline.json"
RESULTS = FOLDER / "results"
TOLERANCE = 1.25


def machine() -> dict[str, Any]:
    """The machine in general words, and how busy it is (load averages of 1, 5, 15 minutes)."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def write(
    path: Path, figures: Sequence[Figure], *, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Write a run: `before` and `after` are the machine, `figures` with ratio and verdict."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = [{**asdict(each), "ratio": each.ratio, "met": each.met} for each in figures]
    run = {"before": before, "after": after, "figures": listed}
    path.write_text(json.dumps(run, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_ratios(path: Path, figures: Sequence[Figure]) -> None:
    """Lay the ratios of this run over the recorded ones."""
    ratios = read_ratios(path) | {
        each.name: round(each.ratio, 3)
        for each in figures
        if each.compared and each.ratio is not None
    }
    path.write_text(json.dumps(ratios, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_ratios(path: Path) -> dict[str, float]:
    """The recorded ratios by the figure's name; empty without a baseline."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def regressions(figures: Sequence[Figure], recorded: Mapping[str, float]) -> list[str]:
    """A line for each ratio that is more than a quarter worse than recorded."""
    lines: list[str] = []
    for figure in figures:
        before = recorded.get(figure.name)
        if before is None or figure.ratio is None or not figure.compared:
            continue
        if figure.ratio > before * TOLERANCE:
            lines.append(f"{figure.name}: {figure.ratio:.2f} × floor, recorded {before:.2f}")
    return lines
