"""How much of a request a vendor's cache has seen already: 50 steps, and 50 resumed turns."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise

from tests.servers.model import ModelServer
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Reply
from tests.servers.standalone import results_of_turn

from bench.figures import Figure
from bench.processes import run
from bench.stage import Stage

TURNS = 50
KEPT = 0.9
LARGE = "head -c 50000 /dev/zero | tr '\\0' x"


def measure(stage: Stage) -> Iterator[Figure]:
    """The worst pair of requests that follow each other, in percent of the earlier one.

    Where the conversation was shortened its beginning changes once, and the cache starts anew:
    such pairs are counted, not compared.
    """
    for name, command, steps, turns in (
        ("one turn of 50 steps, small outputs", "true", TURNS, 1),
        ("one turn of 50 steps, 50 KB outputs", LARGE, TURNS, 1),
        ("50 resumed turns, small outputs", "true", 1, TURNS),
        ("50 resumed turns, 50 KB outputs", LARGE, 1, TURNS),
    ):
        bodies = _bodies(stage, command, steps, turns)
        pairs = [(one, share(one, next_)) for one, next_ in pairwise(bodies)]
        grown = [(one, same) for one, same in pairs if same >= KEPT]
        shortened = len(pairs) - len(grown)
        changed = max(round(len(body) * (1 - same)) for body, same in grown)
        yield Figure(
            name=f"same as the request before: {name}",
            value=100 * min(same for _, same in grown),
            unit="%",
            budget=98,
            at_least=True,
            note=f"{len(bodies)} requests, the largest of {max(map(len, bodies)):,} B; at most "
            f"{changed} B of one did not come again",
        )
        yield Figure(
            name=f"conversation shortened: {name}",
            value=shortened,
            unit="times",
            budget=0 if command != LARGE else None,
        )


def _bodies(stage: Stage, command: str, steps: int, turns: int) -> list[bytes]:
    """What a session of `turns` turns with `steps` tool calls each sends, in order."""

    def answer(request: Recorded) -> Reply:
        if results_of_turn(request) >= steps:
            return Reply(text="done")
        return Reply(calls=[Call("terminal", {"command": command})])

    with ModelServer() as server:
        server.always(answer)
        stage.use(server.base_url)
        run(stage, stage.hermes("-q", "go", "-Q", "--yolo"))
        for number in range(1, turns):
            run(stage, stage.hermes("-c", "-q", f"go on {number}", "-Q", "--yolo"))
        return [request.body for request in server.model_requests]


def share(earlier: bytes, later: bytes) -> float:
    """The common beginning, as a share of the earlier request."""
    differs = bisect_left(
        range(1, len(earlier) + 1), True, key=lambda length: earlier[:length] != later[:length]
    )
    return differs / len(earlier)
