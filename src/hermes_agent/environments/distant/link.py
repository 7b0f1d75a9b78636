"""What makes one distant place differ from another: how a program is started there."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from hermes_agent.environments.distant.guard import DistantGuard
from hermes_agent.environments.enclosure import Launch


class Link(Protocol):
    """The way to one place. A place is there from `open` until the keeper ends."""

    @property
    def name(self) -> str:
        """As in `terminal.backend`."""
        ...

    @property
    def noun(self) -> str:
        """What it is, in a sentence: `the container`, `the machine HOST`."""
        ...

    @property
    def variables(self) -> Mapping[str, str]:
        """What commands get besides what the place itself gives them."""
        ...

    @property
    def scratch(self) -> str | None:
        """A directory of this machine that is to be removed with us, if there is one."""
        ...

    @property
    def scratch_base(self) -> str:
        """Where the keeper makes its directory; empty lets it choose."""
        ...

    @property
    def patience(self) -> float:
        """Seconds until the keeper must have answered."""
        ...

    @property
    def longest(self) -> int:
        """The longest command in bytes that fits into a command line."""
        ...

    def guard(self) -> DistantGuard:
        """The guard before its files."""
        ...

    async def open(self, keeper: Sequence[str], mark: str) -> Launch:
        """How to start the keeper, in a new place if there can be several."""
        ...

    def launch(
        self, argv: Sequence[str], *, variables: Mapping[str, str], pty: bool, stdin: bool
    ) -> Launch:
        """How to start another program there."""
        ...

    async def leave(self) -> None:
        """The keeper has ended: give up what is left of the place."""
        ...

    async def close(self) -> None:
        """Give back what the way itself holds."""
        ...
