"""A thousand chats at once in one gateway."""

import json
from collections.abc import Iterator

from bench.daemon.running import run
from bench.figures import Figure
from bench.stage import CannotMeasure, Stage

CHATS = 1000


def measure(stage: Stage) -> Iterator[Figure]:
    """All with a turn in flight; then all writing in the same moment."""
    held, tools = _run(stage, "held"), _run(stage, "tools")
    for found, what in ((held, "a turn in flight"), (tools, "a turn in flight after a tool")):
        yield Figure(
            name=f"{CHATS:,} sessions with {what}: memory",
            value=found["memory"],
            unit="MB",
            floor=found["memory_before"],
            floor_name="the same gateway with one chat",
            budget=300,
            note=f"{found['descriptors']:,.0f} descriptors, {found['threads']:.0f} threads,"
            f" {found['children'] - 1:,.0f} child processes",
        )
    yield Figure(
        name=f"{CHATS:,} sessions with a turn in flight: each",
        value=(held["memory"] - held["memory_before"]) * 1000 / CHATS,
        unit="KB",
    )
    yield Figure(
        name=f"{CHATS:,} sessions with a turn in flight: descriptors kept when all is answered",
        value=held["descriptors_after"] - held["descriptors_before"],
        unit="descriptors",
        budget=64,
        note="connections to the model that are kept open",
    )
    burst = _run(stage, "burst")
    yield Figure(
        name=f"{CHATS:,} messages at once: until all were stored", value=burst["accepted"], unit="s"
    )
    yield Figure(
        name=f"{CHATS:,} messages at once: until all were answered",
        value=burst["seconds"],
        unit="s",
    )
    yield Figure(
        name=f"{CHATS:,} messages at once: CPU of a message",
        value=burst["cpu"] * 1000 / CHATS,
        unit="ms",
        floor=burst["bare_cpu"] * 1000 / CHATS,
        floor_name="bare httpx2 client, one request",
    )


def _run(stage: Stage, how: str) -> dict[str, float]:
    found: dict[str, float] = json.loads(run(stage, "crowd", str(CHATS), how))
    if found["answers"] < CHATS:
        raise CannotMeasure(f"{found['answers']:.0f} answers to {CHATS} messages")
    return found
