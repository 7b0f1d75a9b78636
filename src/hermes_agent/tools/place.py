"""Paths as the environment's commands see them."""

import posixpath

from hermes_agent.domain.errors import UsageError
from hermes_agent.domain.ports import Environment


def absolute(path: str, environment: Environment) -> str:
    """`path` from the session's working directory, `~` being the home of who runs it.

    Raises `UsageError` for what can be no path.
    """
    if "\0" in path:
        raise UsageError(f"A path cannot hold a NUL character: {path!r}.")
    if path == "~" or path.startswith("~/"):
        return posixpath.join(_home(environment), path[2:])
    return posixpath.join(environment.cwd, path)


def _home(environment: Environment) -> str:
    from pathlib import Path

    there = getattr(environment, "home", None)  # of another machine; ~ until it is known
    return there if isinstance(there, str) else str(Path.home())


def shown(path: str, environment: Environment) -> str:
    """`path` for people: relative where it lies below the working directory."""
    inside = posixpath.join(environment.cwd, "")
    return path.removeprefix(inside) or "."
