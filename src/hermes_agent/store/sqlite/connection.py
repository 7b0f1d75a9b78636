"""One connection to the file: opening it, transactions, and errors in words."""

import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import apsw

from hermes_agent.domain.errors import DamagedStoreError, StoreBusy, StoreError
from hermes_agent.store.sqlite import migrations
from hermes_agent.store.sqlite.transaction import Transaction, typed

BUSY_SECONDS = 5.0
_WAL_KEPT_BYTES = 64 * 1024 * 1024

# How a transaction begins, ends and is undone: a whole one, and a step of one.
_WHOLE = ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
_STEP = ("SAVEPOINT step", "RELEASE step", "ROLLBACK TO step; RELEASE step")


class Database:
    """A connection that several threads may share; each transaction has it alone."""

    def __init__(
        self,
        connection: apsw.Connection,
        path: Path,
        *,
        read_only: bool,
        kept: Path | None = None,
    ) -> None:
        self.path = path
        self.kept = kept
        self.read_only = read_only
        self._connection = connection
        self._transaction = typed(connection)
        self._lock = threading.RLock()
        self._writing = 0

    @contextmanager
    def read(self) -> Generator[Transaction]:
        """The connection for one or more statements that see the same state."""
        with self._lock, in_words(self.path):
            if self._connection.in_transaction:
                yield self._transaction
                return
            self._transaction.execute("BEGIN")
            try:
                yield self._transaction
            finally:
                if self._connection.in_transaction:
                    self._transaction.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Generator[Transaction]:
        """A transaction: committed at the end, undone on any error. Inside another one it is a
        step of that: undone by itself, committed with it."""
        if self.read_only:
            raise StoreError(
                f"{self.path} can be read but not written.",
                hint="Look at the owner and mode of the file and of its folder.",
            )
        with self._lock, in_words(self.path):
            begin, commit, undo = _STEP if self._writing else _WHOLE
            if self._writing and not self._connection.in_transaction:
                raise StoreError(f"{self.path} could not be written; what was begun is undone.")
            self._transaction.execute(begin)
            self._writing += 1
            try:
                yield self._transaction
                self._transaction.execute(commit)
            except BaseException:
                # Some errors undo the whole transaction by themselves.
                if self._connection.in_transaction:
                    self._transaction.execute(undo)
                raise
            finally:
                self._writing -= 1

    def close(self) -> None:
        with self._lock:
            self._connection.close()


@contextmanager
def in_words(path: Path) -> Generator[None]:
    """Turn the engine's errors into ours, with the file and what to do."""
    try:
        yield
    except apsw.BusyError as error:
        raise StoreBusy(
            f"Another process held {path} for more than {BUSY_SECONDS:.0f} seconds.",
            hint="Try again; if it stays so, look for a program that has the file open.",
        ) from error
    except (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError) as error:
        raise DamagedStoreError(
            f"{path} is damaged ({error}).",
            hint="hermes doctor --fix keeps it aside and saves what can be read.",
        ) from error
    except apsw.FullError as error:
        raise StoreError(
            f"The disk of {path} is full; what was stored before is safe.",
            hint="Free some space and try again.",
        ) from error
    except apsw.ReadOnlyError as error:
        raise StoreError(
            f"{path} can be read but not written.",
            hint="Look at the owner and mode of the file and of its folder.",
        ) from error
    except apsw.CantOpenError as error:
        raise StoreError(
            f"{path} cannot be opened ({error}).",
            hint="Look at the owner and mode of the file and of its folder.",
        ) from error
    except apsw.IOError as error:
        raise StoreError(
            f"{path} could not be read or written ({error}); what was stored before is safe.",
            hint="Look at the disk: space, quota, health.",
        ) from error
    except apsw.Error as error:
        raise StoreError(f"{path} cannot be used ({error}).") from error


def connect(path: Path, *, durable: bool = False) -> Database:
    """Open the file for reading and writing, made or migrated where needed.

    Where it cannot be written, it is opened for reading. What is committed survives the end of
    the process in any case; with `durable` it survives the loss of power too, and takes longer.
    """
    with in_words(path):
        _make(path)
        try:
            connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE)
            return _prepared(connection, path, durable=durable)
        except (apsw.ReadOnlyError, apsw.CantOpenError):
            return _connect_for_reading(path)


def _make(path: Path) -> None:
    """An empty file that only its owner can read; the engine gives its side files the same
    mode. An existing file keeps its own: a shared deployment sets another on purpose."""
    if path.exists():
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(
            f"{path} cannot be made: {error.strerror}.",
            hint="Look at the owner and mode of the folder, or set HERMES_HOME to another.",
        ) from error


def _prepared(connection: apsw.Connection, path: Path, *, durable: bool = False) -> Database:
    try:
        connection.set_busy_timeout(int(BUSY_SECONDS * 1000))
        kept: Path | None = None
        read_only = connection.readonly("main")
        done = migrations.applied(typed(connection), path)
        if not read_only:
            _use_wal(connection)
            typed(connection).execute(
                f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'};"
                "PRAGMA foreign_keys = ON;"
                f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}"
            )
            if done < migrations.newest():
                kept = migrations.migrate(connection, path)
        elif done < migrations.newest():
            raise StoreError(
                f"{path} has an older shape and cannot be written to be brought up to date.",
                hint="Make it writable once, or copy it to a folder of your own.",
            )
    except BaseException:
        if _log_size(path) > 0:
            # Closing would fold the log into the file; a refused file stays as it is.
            with suppress(apsw.Error):
                connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.close(True)
        raise
    return Database(connection, path, read_only=read_only, kept=kept)


def _use_wal(connection: apsw.Connection) -> None:
    """The change of journal does not wait for others by itself, so ask until they are done."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            typed(connection).execute("PRAGMA journal_mode = WAL")
            return
        except apsw.BusyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _connect_for_reading(path: Path) -> Database:
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    try:
        return _prepared(apsw.Connection(_uri(path, "mode=ro"), flags=flags), path)
    except apsw.CantOpenError:
        # No side files and no leave to make them: nobody writes, so the file is all there is.
        if _log_size(path) > 0:
            raise
        return _prepared(apsw.Connection(_uri(path, "immutable=1"), flags=flags), path)


def _log_size(path: Path) -> int:
    log = path.with_name(path.name + "-wal")
    return log.stat().st_size if log.exists() else 0


def _uri(path: Path, option: str) -> str:
    return f"file:{quote(os.fspath(path))}?{option}"
