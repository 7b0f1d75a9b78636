"""The board of scheduled jobs, as the server needs it."""

from typing import Protocol


class JobsBoard(Protocol):
    """Jobs by id."""
