"""Going on with a session of 5,000 messages: until the request has left."""

import time
from collections.abc import Iterator
from statistics import median

from tests.servers.model import ModelServer
from tests.servers.recorded import Recorded
from tests.servers.script import Reply

from bench.figures import Figure
from bench.processes import run
from bench.stage import Stage

MESSAGES = 5000
SESSION = "20260101_000000_bench1"


def measure(stage: Stage) -> Iterator[Figure]:
    """Wall time until the whole request is with the server: resumed, less a new session."""
    run(stage, stage.tool("filling", str(stage.home), SESSION, str(MESSAGES)))
    arrived: list[float] = []

    largest = 0

    def note(request: Recorded) -> None:
        nonlocal largest
        arrived.append(time.perf_counter())
        largest = max(largest, len(request.body))

    commands = {
        "new": stage.hermes("-q", "hello", "-Q"),
        "resumed": stage.hermes("-r", SESSION, "-q", "hello", "-Q"),
    }
    found: dict[str, list[float]] = {name: [] for name in commands}
    with ModelServer(on_request=note) as server:
        server.always(Reply(text="Hello."))
        stage.use(server.base_url)
        for number in range(1 + stage.runs):
            for name, command in commands.items():
                arrived.clear()
                began = time.perf_counter()
                run(stage, command)
                if number:
                    found[name].append((arrived[0] - began) * 1000)
    new, resumed = median(found["new"]), median(found["resumed"])
    yield Figure(
        name="resume of 5,000 messages: request left, over a new session",
        value=resumed - new,
        unit="ms",
        floor=new,
        floor_name="a new session",
        against=resumed,
        budget=100,
        note=f"the request has {largest:,} B",
    )
