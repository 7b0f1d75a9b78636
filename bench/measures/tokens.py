"""From the sending of a token to its showing, and how long a burst takes."""

from collections.abc import Callable, Iterator
from statistics import median, quantiles

from bench.figures import Figure
from bench.pacing import PacedServer
from bench.stage import Stage
from bench.terminal import Shown, Through, watch

COUNT, PAUSE = 100, 0.02
BURST = 2000
WAYS: tuple[Through, ...] = ("terminal", "pipe")
MILLI = 1000.0


def measure(stage: Stage) -> Iterator[Figure]:
    """Paced tokens through a terminal and a pipe, then a burst; against the bare loop."""
    for through in WAYS:
        with PacedServer(COUNT, PAUSE) as server:
            ours, bare = _both(
                stage, server, through, lambda s: _delays(s, server.sent), stage.runs // 2
            )
        for name, percent, budget in (("median", 50, 3), ("99th percentile", 99, None)):
            yield Figure(
                name=f"token to {through}: {name}",
                value=_percentile(ours, percent),
                unit="ms",
                floor=_percentile(bare, percent),
                floor_name="bare httpx2 loop",
                budget=budget,
                compared=percent == 50,
            )
    for through in WAYS:
        with PacedServer(BURST, 0) as server:
            ours, bare = _both(stage, server, through, _span, 2 * stage.runs)
        yield Figure(
            name=f"burst of 2,000 tokens to {through}: over the bare loop",
            value=median(ours) - median(bare),
            unit="ms",
            floor=median(bare),
            floor_name="bare httpx2 loop",
            against=median(ours),
            budget=30,
        )


def _both(
    stage: Stage,
    server: PacedServer,
    through: Through,
    figures: Callable[[Shown], list[float]],
    runs: int,
) -> tuple[list[float], list[float]]:
    """The figures of all runs of ours, and of the bare loop's; the two run in turns."""
    stage.use(server.base_url)
    commands = stage.hermes("-q", "go"), stage.floor("bare_loop", server.base_url, "go")
    found: tuple[list[float], list[float]] = [], []
    for number in range(1 + max(3, runs)):
        for command, into in zip(commands, found, strict=True):
            measured = figures(watch(stage, command, through=through))
            if number:  # the first run warms the caches
                into.extend(measured)
    return found


def _delays(shown: Shown, sent: list[float]) -> list[float]:
    """Milliseconds from sending to showing, by token."""
    delays: list[float] = []
    end = 0
    for number, at in enumerate(sent):
        seen, end = shown.when(f"w{number}".encode(), start=end)
        delays.append((seen - at) * MILLI)
    return delays


def _span(shown: Shown) -> list[float]:
    """Milliseconds from the first token shown to the last."""
    first, end = shown.when(b"w0 ")
    last, _ = shown.when(f"w{BURST - 1}".encode(), start=end)
    return [(last - first) * MILLI]


def _percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]
