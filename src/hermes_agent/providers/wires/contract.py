"""What a wire is: a pair of pure functions between our vocabulary and bytes."""

import importlib
from collections.abc import Sequence
from typing import Protocol, cast

from hermes_agent.domain.messages import Message
from hermes_agent.domain.model import Delta, Request
from hermes_agent.providers.target import Target
from hermes_agent.providers.vendor import WireName


class Decoder(Protocol):
    """Reads one answer. `settled` once the finish reason has come (usage may follow), `ended`
    once the protocol's own end mark has."""

    settled: bool
    ended: bool

    def feed(self, data: bytes) -> Sequence[Delta]:
        """What one event says. Raises `ModelError`."""
        ...

    def finish(self) -> Message:
        """The whole answer after the last event. Raises `ModelError` if it is not whole."""
        ...


class Wire(Protocol):
    """A module that speaks one protocol. It does no I/O and keeps nothing."""

    def url(self, target: Target) -> str:
        """Where requests go."""
        ...

    def headers(self, target: Target) -> dict[str, str]:
        """Credentials and versions."""
        ...

    def encode(self, target: Target, request: Request) -> bytes:
        """The body. For a conversation that grew, all but the last part of it is unchanged."""
        ...

    def decoder(self, target: Target) -> Decoder:
        """A fresh reader for one answer."""
        ...


def load_wire(name: WireName) -> Wire:
    """The wire of this name; its module is imported now."""
    return cast("Wire", importlib.import_module(f"hermes_agent.providers.wires.{name}"))
