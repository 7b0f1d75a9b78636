"""One question, one answer, from start to exit: time, memory, and what is sent."""

import json
from collections.abc import Iterator
from typing import Any

from bench.figures import Figure
from bench.processes import medians, run
from bench.stage import Stage

CHARACTERS_PER_TOKEN = 4
ANSWER = {"always": {"text": "Hello! How can I help you today?", "chunks": 4}}


def measure(stage: Stage) -> Iterator[Figure]:
    """Against the bare loop, which sends the question and nothing else."""
    log = stage.root / "requests.log"
    with stage.model_server("--log", str(log), script=ANSWER) as base_url:
        ours = stage.hermes("-q", "hello", "-Q")
        bare = stage.floor("bare_loop", base_url, "hello")
        run(stage, ours)
        first = json.loads(log.read_text(encoding="utf-8").splitlines()[0])
        found = medians(
            stage,
            {"hermes": ours, "loop": bare, "python": stage.bare_python},
            runs=2 * stage.runs + 1,
        )
    hermes, loop, python = found["hermes"], found["loop"], found["python"]
    yield Figure(
        name="one-shot chat: CPU",
        value=hermes.cpu,
        unit="ms",
        floor=loop.cpu,
        floor_name="bare httpx2 loop",
        budget=1.8,
        budget_is_ratio=True,
    )
    yield Figure(
        name="one-shot chat: CPU over bare Python",
        value=hermes.cpu - python.cpu,
        unit="ms",
        floor=python.cpu,
        floor_name="python -c pass",
        against=hermes.cpu,
        budget=200,
    )
    yield Figure(
        name="one-shot chat: wall",
        value=hermes.wall,
        unit="ms",
        floor=loop.wall,
        floor_name="bare httpx2 loop",
    )
    yield Figure(
        name="one-shot chat: peak RSS",
        value=hermes.peak,
        unit="MB",
        floor=loop.peak,
        floor_name="bare httpx2 loop",
        budget=45,
    )
    yield Figure(name="first request: body", value=first["size"], unit="B", budget=16_000)
    yield Figure(
        name="first request: fixed part",
        value=_fixed_characters(first["json"]) / CHARACTERS_PER_TOKEN,
        unit="tokens",
        budget=4_000,
        note=f"estimated at {CHARACTERS_PER_TOKEN} characters a token",
    )


def _fixed_characters(body: dict[str, Any]) -> int:
    """The instructions and the tools' schemas."""
    system = [m["content"] for m in body["messages"] if m["role"] in ("system", "developer")]
    return len(json.dumps([system, body.get("tools", [])], separators=(",", ":")))
