"""`response_store.db`: the last responses that clients may refer to, the least used forgotten.

What was said stands in the session store; this file knows which response ended where.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import apsw
import msgspec

from hermes_agent.domain.errors import StoreError
from hermes_agent.store.sqlite.queries import statements
from hermes_agent.store.sqlite.transaction import Transaction, typed

FILE = "response_store.db"
KEPT = 100
_BUSY_MS = 5000


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A stored response: its JSON, its session, and the last message of its turn there."""

    session_id: str
    last_message: int | None
    body: bytes


class ResponseStore:
    """One file. Methods block and are called from one thread. All raise `StoreError`."""

    def __init__(self, path: Path, *, kept: int = KEPT) -> None:
        self._path = path
        self._kept = kept
        self._connection: apsw.Connection | None = None

    def put(
        self, response_id: str, created_at: float, session_id: str, last: int | None, body: bytes
    ) -> None:
        """Keep a response; the one unused for longest makes room."""
        with self._writing() as db:
            db.execute(_sql()["put"], (response_id, created_at, session_id, last, body))
            db.execute(_sql()["forget_oldest"], (self._kept,))

    def get(self, response_id: str) -> Kept | None:
        """The response, used now; None when it is not known, or not any more."""
        with self._writing() as db:
            row = db.execute(_sql()["get"], (response_id,)).fetchone()
            if row is None:
                return None
            db.execute(_sql()["touch"], (response_id,))
            return Kept(session_id=row[0], last_message=row[1], body=row[2])

    def delete(self, response_id: str) -> bool:
        """Forget it; whether it was there."""
        with self._writing() as db:
            db.execute(_sql()["delete"], (response_id,))
            return db.changes() > 0

    def close(self) -> None:
        """Give the file back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _writing(self) -> Generator[Transaction]:
        try:
            with self._open() as connection:
                yield typed(connection)
        except apsw.Error as error:
            raise self._fault(str(error)) from error

    def _open(self) -> apsw.Connection:
        if self._connection is None:
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            except OSError as error:
                raise self._fault(error.strerror or str(error)) from error
            connection = apsw.Connection(os.fspath(self._path))
            connection.set_busy_timeout(_BUSY_MS)
            connection.transaction_mode = "IMMEDIATE"
            typed(connection).execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
            typed(connection).execute(_sql()["schema"])
            self._connection = connection
        return self._connection

    def _fault(self, told: str) -> StoreError:
        return StoreError(
            f"{self._path} cannot be used ({told}).",
            hint="It holds nothing but answers to look up again: it may be removed.",
        )


def _sql() -> dict[str, str]:
    return statements(Path(__file__).parent / "sql" / "responses.sql")
