"""How a person reaches a running turn: stop it, or say something more."""

import asyncio
from collections import deque

import msgspec


class Said(msgspec.Struct, frozen=True):
    """Something said to a running turn. `turn` names the inbound message it came with."""

    text: str
    turn: str | None = None


class Control:
    """One turn's ear. Methods are called from the event loop that runs the turn."""

    def __init__(self) -> None:
        self._said: deque[Said] = deque()
        self._task: asyncio.Task[object] | None = None
        self.stopping = False

    def steer(self, text: str, turn: str | None = None) -> None:
        """Reaches the model with the next call, as a user message."""
        self._said.append(Said(text, turn))

    def take(self) -> Said | None:
        """The next thing said, if any."""
        return self._said.popleft() if self._said else None

    def stop(self) -> None:
        """End the turn now: a running command is killed, the history stays whole."""
        self.stopping = True
        # From within the turn (a listener of its events) the flag is enough: the loop looks at it
        # before the next step, and a cancellation of oneself could outlive the turn.
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    def attach(self) -> None:
        """Called by the loop in its own task: this is what `stop` cancels."""
        self._task = asyncio.current_task()

    def detach(self) -> None:
        """The turn has nothing more to stop."""
        self._task = None

    def absorb(self) -> bool:
        """Whether a `CancelledError` just caught was `stop`; then it is spent here."""
        if not self.stopping or self._task is None:
            return False
        while self._task.cancelling():
            self._task.uncancel()
        self._task = None
        return True
