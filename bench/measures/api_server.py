"""The API server under 64 clients at once, against a bare relay to the same model server."""

import json
import os
import subprocess
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
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
        ours = running.enter_context(_served(stage, stage.tool("serving", KEY)))
        relay = running.enter_context(_served(stage, stage.floor("relay", model)))
        for mode in MODES:
            yield from _compare(stage, ours, relay, mode)
        yield Figure(name="API server after that load", value=ours.peak, unit="MB", compared=False)


@dataclass(frozen=True)
class _Server:
    """A server as a process."""

    url: str
    pid: int

    @property
    def cpu(self) -> float:
        """What it used so far, in milliseconds."""
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    @property
    def peak(self) -> float:
        """The most memory that it had, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6


def _compare(stage: Stage, ours: _Server, relay: _Server, mode: Mode) -> Iterator[Figure]:
    found: dict[str, list[dict[str, float]]] = {ours.url: [], relay.url: []}
    for server in (ours, relay):
        _ask(stage, server, mode, each=2)
    for _ in range(max(1, stage.runs // 2)):
        for server in (ours, relay):
            found[server.url].append(_ask(stage, server, mode))

    def figure(
        name: str, field: str, unit: str, budget: float | None, *, at_least: bool = False
    ) -> Figure:
        return Figure(
            name=f"API server, {CLIENTS} clients, {MODES[mode]}: {name}",
            value=median(result[field] for result in found[ours.url]),
            unit=unit,
            floor=median(result[field] for result in found[relay.url]),
            floor_name="bare relay",
            budget=budget,
            budget_is_ratio=True,
            at_least=at_least,
            # Rate and tail depend on what else the machine does; the CPU of a turn hardly.
            compared=field == "cpu",
        )

    yield figure("turns a second", "rate", "/s", 0.5, at_least=True)
    yield figure("p99", "p99", "ms", 2.0)
    yield figure("CPU of a turn", "cpu", "ms", None)


def _ask(stage: Stage, server: _Server, mode: Mode, *, each: int = EACH) -> dict[str, float]:
    """What the clients measured, and `cpu`: what the server used for a turn."""
    before = server.cpu
    done = subprocess.run(
        stage.tool("asking", server.url, KEY, str(CLIENTS), str(each), mode),
        env=stage.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise CannotMeasure(f"the clients of {server.url} ended with:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout) | {"cpu": (server.cpu - before) / (CLIENTS * each)}


@contextmanager
def _served(stage: Stage, command: list[str]) -> Generator[_Server]:
    """Start it, and end it."""
    server = subprocess.Popen(
        command, cwd=PROJECT, env=stage.environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        if not url:
            raise CannotMeasure(f"{' '.join(command)} did not come up.")
        yield _Server(url, server.pid)
    finally:
        server.terminate()
        server.wait(20)
        if server.stdout is not None:
            server.stdout.close()
