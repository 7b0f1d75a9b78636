"""What the chat needs of whatever it is held at: the full screen or a plain line terminal."""

from typing import Protocol

from hermes_agent.cli.terminal.panel import Panel


class Surface(Protocol):
    """Where a turn is shown."""

    @property
    def columns(self) -> int:
        """The width of a line."""
        ...

    def print(self, text: str) -> None:
        """For good. Colours are kept, everything else that acts on a terminal is not."""
        ...

    def live(self, text: str) -> None:
        """Until the next call; a surface that cannot take it back shows nothing."""
        ...


class Listener(Protocol):
    """Who gets what the person does."""

    def line(self, text: str) -> None:
        """The person sent this."""
        ...

    def interrupt(self) -> bool:
        """Ctrl-C; False when there was nothing to interrupt."""
        ...


class Terminal(Surface, Protocol):
    """A person at a terminal. All methods belong to the event loop that runs it."""

    @property
    def running(self) -> bool:
        """Whether the person is still there."""
        ...

    async def run(self) -> None:
        """Until the person leaves."""
        ...

    async def ask(self, panel: Panel, timeout: float | None) -> str | None:
        """Put a question until it is answered; one at a time."""
        ...

    def refresh(self) -> None:
        """The person's turn again: a turn or a command is over."""
        ...

    def tick(self) -> None:
        """A second has passed."""
        ...

    def clear(self) -> None:
        """Clear the terminal, what has scrolled away too."""
        ...

    def bell(self) -> None:
        """Ring."""
        ...

    def put_back(self, text: str) -> None:
        """Give the person a text to send again, where there is room for it."""
        ...

    def exit(self) -> None:
        """Leave."""
        ...

    def hang_up(self) -> None:
        """The terminal is gone: write nothing to it any more, and leave."""
        ...
