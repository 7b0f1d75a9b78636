"""Modes of the files that the daemon makes: as open as the home is to its group, no more."""

from pathlib import Path


def file_mode(home: Path) -> int:
    """0660 where the group may write to the home, 0640 where it may look into it, else 0600."""
    try:
        mode = home.stat().st_mode
    except OSError:
        return 0o600
    if mode & 0o070 == 0o070:
        return 0o660
    return 0o640 if mode & 0o050 == 0o050 else 0o600
