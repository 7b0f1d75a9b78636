"""What statements run in: the part of an apsw connection that we use, with types that hold.

apsw's own stubs name `collections.abc.Buffer`, which Python 3.11 does not have.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

import apsw

Row = tuple[Any, ...]


class Rows(Protocol):
    """The rows of one statement."""

    def __iter__(self) -> Iterator[Row]: ...

    def fetchone(self) -> Row | None: ...

    def fetchall(self) -> list[Row]: ...

    @property
    def get(self) -> Any:
        """The value of the only column of the first row; None without rows."""
        ...


class Transaction(Protocol):
    """A connection inside a transaction."""

    def execute(
        self, statements: str, bindings: Sequence[Any] | Mapping[str, Any] | None = None, /
    ) -> Rows: ...

    def last_insert_rowid(self) -> int: ...

    def changes(self) -> int: ...


def typed(connection: apsw.Connection) -> Transaction:
    """The same connection."""
    return cast("Transaction", connection)
