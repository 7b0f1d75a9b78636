"""HERMES_HOME on disk: its folders, its modes, the first SOUL.md."""

import os
from collections.abc import Mapping
from pathlib import Path

from hermes_agent.config.files import NotWritten, write_atomically
from hermes_agent.config.managed import Managed
from hermes_agent.config.paths import Paths

FOLDERS = ("cron", "sessions", "logs", "memories")
"""Made on first use."""

SECRET_FILES = (".env", "auth.json", "SOUL.md", "config.yaml", "state.db")
"""Nobody but the owner may read these."""


def make_home(paths: Paths) -> None:
    """Make the folder itself, 0700, if it is missing. Raises `NotWritten`."""
    if not paths.home.is_dir():
        _make(paths.home)


def prepare(paths: Paths, managed: Managed | None = None) -> None:
    """Make what a first use needs: folders (0700) and a SOUL.md (0600).

    In managed mode the declaration owns modes and contents: missing folders are made with the
    mode of the home, nothing else is touched. Raises `NotWritten`.
    """
    if managed is not None:
        for name in FOLDERS:
            if paths.home.is_dir() and not (paths.home / name).is_dir():
                _make(paths.home / name, paths.home.stat().st_mode & 0o7770)
        return
    make_home(paths)
    for name in FOLDERS:
        if not (paths.home / name).is_dir():
            _make(paths.home / name)
    if not paths.soul_file.exists() and not paths.soul_file.is_symlink():
        write_atomically(paths.soul_file, default_soul().encode())


def tighten(paths: Paths, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Take from others what they could read of a home that is not managed; returns what changed.

    HERMES_SKIP_CHMOD leaves all modes alone. Only the owner's own files are touched.
    """
    if environ.get("HERMES_SKIP_CHMOD"):
        return []
    changed: list[Path] = []
    for path in (paths.home, *(paths.home / name for name in (*FOLDERS, *SECRET_FILES))):
        try:
            about = path.lstat()
        except OSError:
            continue
        if path.is_symlink() or about.st_uid != os.geteuid() or not about.st_mode & 0o077:
            continue
        path.chmod(about.st_mode & 0o700)
        changed.append(path)
    return changed


def default_soul() -> str:
    """The SOUL.md that a new home gets."""
    return Path(__file__).with_name("soul.md").read_text("utf-8")


def _make(path: Path, mode: int = 0o700) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(mode)
    except OSError as error:
        raise NotWritten(
            f"Cannot make the folder {path}: {error.strerror}",
            hint="HERMES_HOME must be a folder on a disk that can be written to.",
        ) from error
