"""Days of traffic in a minute: what is there more afterwards."""

from collections.abc import Iterator

import msgspec

from bench.daemon.running import run
from bench.daemon.soak import DEFAULTS, Report
from bench.figures import Figure
from bench.stage import Stage

MESSAGES, SEED, LIVES = DEFAULTS
LEFT = {"folders": "scratch directories", "rows": "settled rows", "dead": "messages given up"}


def measure(stage: Stage) -> Iterator[Figure]:
    """Everything that could grow; the budgets are what the gauges themselves vary by."""
    said = run(stage, "soak", str(MESSAGES), str(SEED), str(LIVES))
    report = msgspec.json.decode(said, type=Report)
    what = f"soak, {MESSAGES:,} messages"
    last = report.samples[-1]
    yield Figure(
        name=f"{what}: memory at the end",
        value=last.memory,
        unit="MB",
        floor=report.steady[0].memory,
        floor_name="after the warm-up",
        note=f"{report.seconds:.0f} s, {report.cpu * 1000 / last.messages:.1f} ms of CPU a message,"
        f" {report.connections} connections, {report.jobs} jobs, {report.pruned:,} rows pruned",
    )
    yield Figure(
        name=f"{what}: memory more after 1,000 messages",
        value=report.slope("memory"),
        unit="MB",
        budget=1,
    )
    yield Figure(
        name=f"{what}: Python objects more after 1,000 messages",
        value=report.slope("objects"),
        unit="objects",
        budget=200,
    )
    for field, budget in (("descriptors", 4), ("threads", 0), ("tasks", 0), ("children", 0)):
        yield Figure(
            name=f"{what}: {field} more", value=report.rise(field), unit=field, budget=budget
        )
    for field in ("folders", "rows", "dead"):
        yield Figure(
            name=f"{what}: {LEFT[field]} left", value=getattr(last, field), unit="", budget=0
        )
    yield Figure(
        name=f"{what}: memory more after {LIVES} reloads",
        value=report.lives[-1].memory - report.lives[0].memory,
        unit="MB",
        budget=1,
    )
