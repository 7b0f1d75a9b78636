"""What the tools of one session remember from call to call."""

from typing import Literal

import msgspec

TodoStatus = Literal["pending", "in_progress", "completed", "cancelled"]


class Todo(msgspec.Struct, frozen=True):
    """One item of the agent's own list of work."""

    id: str
    content: str
    status: TodoStatus = "pending"


class Looks(msgspec.Struct):
    """Counts how often the very same thing was looked at without anything done in between."""

    key: str = ""
    count: int = 0

    def again(self, key: str) -> int:
        """Note one more look; returns how many there were in a row, this one included."""
        self.count = self.count + 1 if key == self.key else 1
        self.key = key
        return self.count

    def clear(self) -> None:
        """Something was done: looking again makes sense."""
        self.key, self.count = "", 0


class ToolSession(msgspec.Struct):
    """Mutable state of one session's tools; lives as long as its toolbox.

    `typed` is the unfinished line written to each background process.
    """

    todos: list[Todo] = []
    looks: Looks = msgspec.field(default_factory=Looks)
    typed: dict[str, str] = {}
