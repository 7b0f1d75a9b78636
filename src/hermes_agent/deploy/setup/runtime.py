"""The runtime folder: made anew before each start, and only then put in its place."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.setup.handles import Folder

Furnish = Callable[[Path], None]
"""Puts further files into a folder that nobody sees yet."""


def publish(
    parent: Folder, name: str, environment: str, mode: int, furnish: Furnish | None
) -> None:
    """Make the folder with the file `environment` and what `furnish` adds. Raises `SetupFailed`."""
    _sweep(parent, name)
    fresh = f".{name}.{secrets.token_hex(6)}.new"
    old = f".{name}.{secrets.token_hex(6)}.old"
    try:
        os.mkdir(fresh, 0o700, dir_fd=parent.handle)
        with parent.folder(fresh) as folder:
            folder.replace("environment", environment.encode("utf-8", "surrogateescape"), 0o600)
            if furnish is not None:
                furnish(Path(folder.path))
            folder.tidy(mode)
        with contextlib.suppress(FileNotFoundError):
            os.rename(name, old, src_dir_fd=parent.handle, dst_dir_fd=parent.handle)
        os.rename(fresh, name, src_dir_fd=parent.handle, dst_dir_fd=parent.handle)
    except OSError as error:
        raise SetupFailed(
            f"Cannot make {parent.named(name)}: {error.strerror}", hint="Is there room on /run?"
        ) from error
    finally:
        _sweep(parent, name)


def _sweep(parent: Folder, name: str) -> None:
    for each in os.listdir(parent.handle):  # noqa: PTH208  a handle, not a path
        if each.startswith(f".{name}.") and each.endswith((".new", ".old")):
            shutil.rmtree(each, ignore_errors=True, dir_fd=parent.handle)
