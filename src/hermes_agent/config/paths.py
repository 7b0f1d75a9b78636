"""Where things are."""

import os
from collections.abc import Mapping
from pathlib import Path


def hermes_home(environ: Mapping[str, str] = os.environ) -> Path:
    """HERMES_HOME, or `~/.hermes`. Made nothing of, checked nothing."""
    named = environ.get("HERMES_HOME", "").strip()
    return Path(named).expanduser().absolute() if named else Path.home() / ".hermes"
