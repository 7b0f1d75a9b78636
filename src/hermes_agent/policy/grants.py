"""What has been allowed before."""

from collections.abc import Callable, Iterable
from typing import Protocol


class Grants(Protocol):
    """Answers of `always`, kept beyond this process."""

    def list(self) -> frozenset[str]:
        """Rule keys and exact commands that need no question."""
        ...

    def add(self, rules: Iterable[str]) -> None:
        """Remember these rule keys. Raises `HermesError` where that is not possible."""
        ...


class ListedGrants:
    """Grants in `command_allowlist` of the configuration; `write` stores one more entry there."""

    def __init__(
        self, entries: Iterable[str] = (), write: Callable[[str], None] | None = None
    ) -> None:
        self._entries = set(entries)
        self._write = write

    def list(self) -> frozenset[str]:
        """What the configuration held at start, and what was added since."""
        return frozenset(self._entries)

    def add(self, rules: Iterable[str]) -> None:
        """Write each new rule, then count it as allowed."""
        for rule in rules:
            if rule not in self._entries:
                if self._write is not None:
                    self._write(rule)
                self._entries.add(rule)
