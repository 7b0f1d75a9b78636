"""Commands that need no model: CPU time over bare Python, and what they must not import."""

import subprocess
import sys
from collections.abc import Iterator

from bench.figures import Figure
from bench.processes import medians, run
from bench.stage import Stage

COMMANDS = {
    "--version": (("--version",), 40),
    "--help": (("--help",), 60),
    "config get": (("config", "get", "model.default"), 60),
    "sessions list": (("sessions", "list"), 60),
}
HEAVY = ("asyncio", "importlib.metadata", "rich", "httpx2", "prompt_toolkit")


def measure(stage: Stage) -> Iterator[Figure]:
    """CPU of each, then a count of heavy libraries that it loads."""
    with stage.model_server(script={"always": {"text": "Hello."}}):
        run(stage, stage.hermes("-q", "hello", "-Q"))
        commands = {name: stage.hermes(*words) for name, (words, _) in COMMANDS.items()}
        costs = medians(stage, {"bare": stage.bare_python, **commands}, runs=2 * stage.runs + 1)
        bare = costs["bare"].cpu
        for name, (words, budget) in COMMANDS.items():
            heavy, count = _imports(stage, words)
            yield Figure(
                name=f"hermes {name}: CPU over bare Python",
                value=costs[name].cpu - bare,
                unit="ms",
                floor=bare,
                floor_name="python -c pass",
                against=costs[name].cpu,
                budget=budget,
            )
            yield Figure(
                name=f"hermes {name}: heavy libraries imported",
                value=len(heavy),
                unit="modules",
                budget=0,
                note=f"{', '.join(heavy)} (of {count} modules)" if heavy else "",
            )


def _imports(stage: Stage, words: tuple[str, ...]) -> tuple[list[str], int]:
    """The heavy libraries among the modules that a command imports, and how many it imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "hermes_agent", *words],
        cwd=stage.folder,
        env=stage.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    names = {line.rpartition("|")[2].strip() for line in lines[1:]}
    return [name for name in HEAVY if name in names], len(names)
