"""What one command prints: kept for the model, shown to a watcher, or thrown away."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from hermes_agent.environments.output import Excerpt, Live

# A child that outlives its command may go on printing; so much is thrown away for it.
_LINGERING_BYTES = 16_000_000


class Printed:
    """What one command printed, for the model at the end and for a watcher meanwhile."""

    def __init__(self, chars: int, on_output: Callable[[str], None] | None) -> None:
        self._excerpt = Excerpt(chars)
        later = asyncio.get_running_loop().call_later
        self._live = Live(on_output, later) if on_output else None

    def feed(self, data: bytes) -> None:
        """Some more of it."""
        self._excerpt.feed(data)
        if self._live:
            self._live.feed(data)

    def finish(self) -> tuple[str, int]:
        """What is to be shown, and how many bytes are left out of it."""
        if self._live:
            self._live.finish()
        return self._excerpt.text()


class _Closing(Protocol):
    def close(self) -> None: ...


class Void:
    """Takes what nobody wants to see, up to a limit."""

    def __init__(self, child: _Closing) -> None:
        self._child = child
        self._room = _LINGERING_BYTES

    def feed(self, data: bytes) -> None:
        """Some more of it."""
        self._room -= len(data)
        if self._room < 0:
            self._child.close()
