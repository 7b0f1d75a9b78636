"""From a message that a platform hands in to the model server's receipt of the request."""

import json
from collections.abc import Iterator
from statistics import median, quantiles

from bench.daemon.running import run
from bench.figures import Figure
from bench.stage import Stage

EACH = 60


def measure(stage: Stage) -> Iterator[Figure]:
    """Medians, against a bare client that sends as much to the same server."""
    found: dict[str, list[float]] = json.loads(run(stage, "first_request", str(stage.runs * EACH)))
    floor = median(found["floor"])
    for kind, what in (("new", "a new chat"), ("known", "a chat with a history")):
        yield Figure(
            name=f"message in to first model request, {what}: median",
            value=median(found[kind]),
            unit="ms",
            floor=floor,
            floor_name="bare httpx2 client",
            budget=10,
        )
        yield Figure(
            name=f"message in to first model request, {what}: 99th percentile",
            value=quantiles(found[kind], n=100)[98],
            unit="ms",
            floor=quantiles(found["floor"], n=100)[98],
            floor_name="bare httpx2 client",
            compared=False,
        )
