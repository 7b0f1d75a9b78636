"""One `hermes deploy apply` or `remove` at a time."""

import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from hermes_agent.config.files import NotWritten


@contextmanager
def alone(lock: Path, say: Callable[[str], None]) -> Generator[None]:
    """Hold a lock on this file, which is made for it. Raises `NotWritten`.

    Who may open a file may lock it for ever, so nobody else may: not even for reading.
    """
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise NotWritten(f"Cannot open the lock {lock}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another hermes deploy to end …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
