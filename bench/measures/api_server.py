"""The API server under 64 clients at once, against a bare relay to the same model server."""

import json
import subprocess
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Literal

from bench.figures import Figure
from bench.stage import PROJECT, CannotMeasure, Stage

KEY = "bench-key"
CLIENTS, EACH = 64, 12
ANSWER = {"always": {"text": "Hello! How can I help you today?", "chunks": 8}}
Mode = Literal["whole", "stream"]
MODES: dict[Mode, str] = {"whole": "whole answers", "stream": "streamed answers"}


def measure(stage: Stage) -> Iterator[Figure]:
    """In turns, each a few times, so that a busy moment of the machine falls on both."""
    with ExitStack() as running:
        model = running.enter_context(stage.model_server(script=ANSWER))
        ours, usage = running.enter_context(_served(stage, stage.tool("serving", KEY)))
        relay, _ = running.enter_context(_served(stage, stage.floor("relay", model)))
        for mode in MODES:
            yield from _compare(stage, ours, relay, mode)
        yield Figure(
            name="API server after that load", value=_peak(usage), unit="MB", compared=False
        )


def _compare(stage: Stage, ours: str, relay: str, mode: Mode) -> Iterator[Figure]:
    found: dict[str, list[dict[str, float]]] = {ours: [], relay: []}
    for url in found:
        _ask(stage, url, mode, each=2)
    for _ in range(max(1, stage.runs // 2)):
        for url, results in found.items():
            results.append(_ask(stage, url, mode))

    def typical(url: str, name: str) -> float:
        return median(result[name] for result in found[url])

    name = f"API server, {CLIENTS} clients, {MODES[mode]}"
    yield Figure(
        name=f"{name}: turns a second",
        value=typical(ours, "rate"),
        unit="/s",
        floor=typical(relay, "rate"),
        floor_name="bare relay",
        budget=0.5,
        budget_is_ratio=True,
        at_least=True,
        compared=False,
    )
    yield Figure(
        name=f"{name}: p99",
        value=typical(ours, "p99"),
        unit="ms",
        floor=typical(relay, "p99"),
        floor_name="bare relay",
        budget=2.0,
        budget_is_ratio=True,
        compared=False,
    )


def _ask(stage: Stage, url: str, mode: Mode, *, each: int = EACH) -> dict[str, float]:
    done = subprocess.run(
        stage.tool("asking", url, KEY, str(CLIENTS), str(each), mode),
        env=stage.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise CannotMeasure(f"the clients of {url} ended with:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


@contextmanager
def _served(stage: Stage, command: list[str]) -> Generator[tuple[str, int]]:
    """A server as a process: its base URL and its pid."""
    server = subprocess.Popen(
        command, cwd=PROJECT, env=stage.environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        if not url:
            raise CannotMeasure(f"{' '.join(command)} did not come up.")
        yield url, server.pid
    finally:
        server.terminate()
        server.wait(20)
        if server.stdout is not None:
            server.stdout.close()


def _peak(pid: int) -> float:
    """The most memory that a process had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6
