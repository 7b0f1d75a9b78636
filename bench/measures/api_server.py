"""The API server under 64 clients at once, against a bare relay to the same model server."""

import json
import os
import socket
import subprocess
import time
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
START_LIMIT = 30.0
ANSWER = {"always": {"text": "Hello! How can I help you today?", "chunks": 8}}
Mode = Literal["whole", "stream"]
MODES: dict[Mode, str] = {"whole": "whole answers", "stream": "streamed answers"}


def measure(stage: Stage) -> Iterator[Figure]:
    """In turns, each a few times, so that a busy moment of the machine falls on both."""
    with ExitStack() as running:
        model = running.enter_context(stage.model_server(script=ANSWER))
        ours = running.enter_context(_gateway(stage))
        relay = running.enter_context(_relay(stage, model))
        for mode in MODES:
            yield from _compare(stage, ours, relay, mode)
        yield Figure(
            name="gateway after that load: memory", value=ours.peak, unit="MB", compared=False
        )


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
def _relay(stage: Stage, model: str) -> Generator[_Server]:
    """The floor."""
    with _process(stage.floor("relay", model), stage.environ) as relay:
        assert relay.stdout is not None
        yield _Server(relay.stdout.readline().strip(), relay.pid)


@contextmanager
def _gateway(stage: Stage) -> Generator[_Server]:
    """The daemon with nothing but the API server on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environ = stage.environ | {
        "API_SERVER_ENABLED": "true",
        "API_SERVER_KEY": KEY,
        "API_SERVER_PORT": str(port),
    }
    with _process(stage.hermes("gateway", "run"), environ) as daemon:
        _wait_for(port, daemon)
        yield _Server(f"http://127.0.0.1:{port}/v1", daemon.pid)


@contextmanager
def _process(command: list[str], environ: dict[str, str]) -> Generator[subprocess.Popen[str]]:
    server = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield server
    finally:
        server.terminate()
        server.wait(30)
        if server.stdout is not None:
            server.stdout.close()


def _wait_for(port: int, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_LIMIT
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise CannotMeasure("The gateway did not come up.")
