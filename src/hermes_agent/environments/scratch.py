"""A private directory for what must be handed over in files."""

import contextlib
import os
import shutil
from pathlib import Path


class Scratch:
    """One that is made when it is first asked for: most sessions never run a command."""

    def __init__(self) -> None:
        self._asked = False
        self._path: str | None = None

    @property
    def path(self) -> str | None:
        """None where none can be made."""
        if not self._asked:
            self._asked = True
            self._path = make()
        return self._path

    def remove(self) -> None:
        """Delete what was made."""
        remove(self._path)


def make(variables: dict[str, str] | None = None) -> str | None:
    """A new directory of mode 0700, or None where none can be made. Remove it with `remove`."""
    environ = os.environ if variables is None else variables
    # In memory where that can be: a file on disk costs some commands milliseconds each.
    for parent in (environ.get("XDG_RUNTIME_DIR"), "/dev/shm", environ.get("TMPDIR"), "/tmp"):  # noqa: S108 - the name is random and made with mode 0700
        if not parent or not parent.startswith("/"):
            continue
        path = f"{parent}/hermes-{os.urandom(8).hex()}"
        with contextlib.suppress(OSError):
            Path(path).mkdir(mode=0o700)
            return path
    return None


def remove(path: str | None) -> None:
    """Delete it and all in it, as far as that can be done."""
    if path:
        shutil.rmtree(path, ignore_errors=True)
