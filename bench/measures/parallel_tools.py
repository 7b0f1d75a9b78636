"""Eight independent tool calls of half a second in one answer."""

from collections.abc import Iterator

from bench.figures import Figure
from bench.processes import medians
from bench.stage import Stage

CALLS, SECONDS = 8, 0.5


def measure(stage: Stage) -> Iterator[Figure]:
    """What the calls add to a turn, against eight shells started side by side."""
    call = {"name": "terminal", "arguments": {"command": f"sleep {SECONDS}"}}
    runs = max(1, stage.runs // 3)
    script = {
        "rules": [
            {"when": '"tool_call_id"', "say": {"text": "done"}},
            {"when": "sleep now", "say": {"calls": [call] * CALLS}},
        ],
        "always": {"text": "done"},
    }
    with stage.model_server(script=script):
        found = medians(
            stage,
            {
                "calls": stage.hermes("-q", "sleep now", "-Q"),
                "none": stage.hermes("-q", "hello", "-Q"),
                "floor": stage.floor("sleeping", str(CALLS), str(SECONDS)),
                "python": stage.bare_python,
            },
            runs=runs,
        )
    floor = found["floor"].wall - found["python"].wall
    yield Figure(
        name="eight independent tools of 0.5 s: wall added",
        value=found["calls"].wall - found["none"].wall,
        unit="ms",
        floor=floor,
        floor_name="eight shells side by side",
        budget=600,
    )
