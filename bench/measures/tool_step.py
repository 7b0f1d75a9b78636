"""What a tool call adds to a turn: the slope between a turn of 1 and one of 41 calls."""

from collections.abc import Iterator

from bench.figures import Figure
from bench.processes import Cost, medians
from bench.stage import Stage

FEW, MANY = 1, 41


def measure(stage: Stage) -> Iterator[Figure]:
    """`terminal {"command": "true"}`, against spawning it, and against the bare loop."""
    found: dict[int, dict[str, Cost]] = {}
    for count in (FEW, MANY):
        with stage.model_server("--echo-tools", str(count)) as base_url:
            found[count] = medians(
                stage,
                {
                    "hermes": stage.hermes("-q", "go", "-Q"),
                    "loop": stage.floor("bare_loop", base_url, "go"),
                    "spawn": stage.floor("spawning", str(count)),
                },
            )

    def wall(name: str) -> float:
        return (found[MANY][name].wall - found[FEW][name].wall) / (MANY - FEW)

    def cpu(name: str) -> float:
        return (found[MANY][name].cpu - found[FEW][name].cpu) / (MANY - FEW)

    yield Figure(
        name="tool step: wall over spawning the process",
        value=wall("hermes") - wall("spawn"),
        unit="ms",
        floor=wall("spawn"),
        floor_name="bash -c true",
        against=wall("hermes"),
        budget=4,
    )
    yield Figure(
        name="tool step: wall over the bare loop",
        value=wall("hermes") - wall("loop"),
        unit="ms",
        floor=wall("loop"),
        floor_name="bare httpx2 loop with a shell",
        against=wall("hermes"),
    )
    yield Figure(
        name="tool step: CPU",
        value=cpu("hermes"),
        unit="ms",
        floor=cpu("loop"),
        floor_name="bare httpx2 loop with a shell",
    )
