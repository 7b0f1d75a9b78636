"""What is measured, by name. A measure is a module here, and one line in the table."""

import importlib
from collections.abc import Iterator
from typing import Protocol, cast

from bench.figures import Figure
from bench.stage import Stage


class Measure(Protocol):
    """A module of this folder."""

    def measure(self, stage: Stage) -> Iterator[Figure]:
        """Give the figures, each as soon as it is known."""
        ...


TABLE = {
    "light": "light_commands",
    "one-shot": "one_shot",
    "tool-step": "tool_step",
    "tokens": "tokens",
    "prompt": "prompt_ready",
    "prefix": "same_prefix",
    "parallel": "parallel_tools",
    "resume": "resume",
    "search": "search",
    "api": "api_server",
    "gateway": "gateway_idle",
    "first-request": "first_request",
    "crowd": "crowd",
    "soak": "soak",
}


def load(name: str) -> Measure:
    """The measure called `name`."""
    return cast("Measure", importlib.import_module(f"bench.measures.{TABLE[name]}"))
