"""How long until one can type."""

from collections.abc import Iterator
from statistics import median

from bench.figures import Figure
from bench.stage import Stage
from bench.terminal import Shown, watch

PROMPT = "❯".encode()


def measure(stage: Stage) -> Iterator[Figure]:
    """From the start of the process to the prompt on the terminal, against a bare prompt."""
    with stage.model_server(script={"always": {"text": "Hello."}}):
        commands = {"hermes": stage.hermes(), "bare": stage.floor("bare_prompt")}
        found: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(1 + stage.runs):
            for name, command in commands.items():
                shown = watch(stage, command, through="terminal", until=_ready)
                if number:
                    found[name].append((shown.when(PROMPT)[0] - shown.began) * 1000)
    yield Figure(
        name="interactive prompt ready: wall",
        value=median(found["hermes"]),
        unit="ms",
        floor=median(found["bare"]),
        floor_name="bare prompt_toolkit prompt",
        budget=350,
    )


def _ready(shown: Shown) -> bool:
    return PROMPT in shown.data
