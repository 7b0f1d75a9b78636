"""Paths as a sandbox sees them, and where they are outside."""

import errno
import os
from collections.abc import Iterable

_MOST_LINKS = 40


class View:
    """A tree in which some directories come from elsewhere and some are hidden.

    `mounts` holds pairs of absolute paths, inside and outside; None outside means hidden. Of two
    that fit, the longer wins, of equals the later.
    """

    def __init__(self, mounts: Iterable[tuple[str, str | None]]) -> None:
        self._mounts = sorted(dict(mounts).items(), key=lambda mount: -len(mount[0]))

    def resolve(self, path: str) -> tuple[str, str]:
        """The path free of links, inside and outside. It need not exist.

        Links are followed as they lead inside. Raises `PermissionError` for what is hidden,
        `OSError` (ELOOP) for links without end.
        """
        here = "/"
        links = 0
        parts = path.split("/")[::-1]
        while parts:
            part = parts.pop()
            if part in ("", "."):
                continue
            if part == "..":
                here = os.path.dirname(here)  # noqa: PTH120 - text
                continue
            there = f"{here.rstrip('/')}/{part}"
            target = self._link(there)
            if target is None:
                here = there
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            if target.startswith("/"):
                here = "/"
            parts.extend(target.split("/")[::-1])
        outside = self._outside(here)
        if outside is None:
            raise PermissionError(errno.EACCES, "Hidden from commands and tools", here)
        return here, outside

    def _link(self, path: str) -> str | None:
        outside = self._outside(path)
        try:
            return os.readlink(outside) if outside is not None else None  # noqa: PTH115 - text
        except OSError:
            return None

    def _outside(self, path: str) -> str | None:
        for inside, outside in self._mounts:
            if path == inside or path.startswith(f"{inside}/"):
                return None if outside is None else outside + path[len(inside) :]
        return path
