"""Which files the file tools may read and write.

A path is judged after its links are resolved. Between that and the opening somebody may still
exchange a directory for a link, so whoever opens the file does it through directory handles and
hands the descriptor to `verify_opened`.
"""

import os
import stat
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from posixpath import join

from hermes_agent.domain.errors import DeniedError
from hermes_agent.policy.protected import clean, guarded, linked_files, policy_files, secret

# Character devices that are as good as files; every other device is refused.
_HARMLESS_DEVICES = frozenset(
    ("/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/random")
)
_SENTENCES = {
    "policy": "it decides about the agent itself; only a person may change it, with `hermes`",
    "ssh": "it decides who may log in by SSH",
    "startup": "it runs at every login",
    "credentials": "it holds stored credentials",
    "system": "it belongs to the system",
}


class PathGuard:
    """Judges paths of one session.

    `home`, `hermes_home` and `cwd` are absolute. `write_root` (HERMES_WRITE_SAFE_ROOT) confines
    all writing to one directory. The guard looks at this machine's file system; environments
    that have another one of their own bring a guard of their own.
    """

    def __init__(
        self, *, home: str, hermes_home: str, cwd: str, write_root: str | None = None
    ) -> None:
        self._homes = tuple(dict.fromkeys((clean(home), os.path.realpath(home))))
        self._agents = tuple(dict.fromkeys((clean(hermes_home), os.path.realpath(hermes_home))))
        self._home = home
        self._cwd = cwd
        self._root = os.path.realpath(_expanded(write_root, home)) if write_root else None

    def at(self, cwd: str) -> "PathGuard":
        """The same for a session that works there."""
        guard = copy(self)
        guard._cwd = cwd
        return guard

    def check_read(self, path: str, *, cwd: str | None = None) -> str:
        """The resolved path. Raises `DeniedError` where reading is forbidden."""
        resolved = self._resolve(path, cwd)
        if any(secret(resolved, home=h, hermes_home=a) for h, a in self._pairs()):
            raise self._denied("read", path, "it holds keys, tokens or passwords")
        self._check_special("read", path, resolved)
        self._check_links("read", path, resolved)
        return resolved

    def check_write(self, path: str, *, cwd: str | None = None) -> str:
        """The resolved path. Raises `DeniedError` where writing is forbidden."""
        resolved = self._resolve(path, cwd)
        for home, agent in self._pairs():
            kind = guarded(resolved, home=home, hermes_home=agent)
            if kind is not None:
                raise self._denied("write", path, _SENTENCES[kind])
        self._check_special("write", path, resolved)
        if self._root is not None and not _inside(resolved, self._root):
            raise self._denied("write", path, f"writing is confined to {self._root}")
        self._check_links("write", path, resolved)
        return resolved

    def verify_opened(self, descriptor: int, *, writing: bool) -> None:
        """Judge an open file by device and inode, whatever path led to it.

        Raises `DeniedError` for a protected file under any name, and for what is no regular file.
        """
        found = os.fstat(descriptor)
        action = "write" if writing else "read"
        if not stat.S_ISREG(found.st_mode):
            raise self._denied(action, f"descriptor {descriptor}", "it is no regular file")
        if self._identities(writing=writing).get((found.st_dev, found.st_ino)):
            raise self._denied(action, f"descriptor {descriptor}", "it is a protected file")

    def _pairs(self) -> Iterator[tuple[str, str]]:
        return ((h, a) for h in self._homes for a in self._agents)

    def _resolve(self, path: str, cwd: str | None) -> str:
        if not path or "\0" in path:
            raise DeniedError("A file needs a name.", hint="Give an absolute or a relative path.")
        whole = join(cwd or self._cwd, _expanded(path, self._home))
        # Before the links: /proc/self means this process, whose files are not the session's.
        for form in (clean(whole), whole):
            if _foreign(form):
                raise self._denied("open", path, "it is another way to name open files")
        try:
            resolved = os.path.realpath(whole)
        except OSError as error:
            raise DeniedError(f"{path} cannot be resolved: {error.strerror}") from error
        return clean(resolved)

    def _check_special(self, action: str, path: str, resolved: str) -> None:
        """Devices, pipes and sockets, and files of the kernel that show other processes."""
        if resolved in _HARMLESS_DEVICES:
            return
        shared = resolved.startswith("/dev/shm/")  # noqa: S108 - only compared
        if resolved == "/dev" or (resolved.startswith("/dev/") and not shared):
            raise self._denied(action, path, "it is a device")
        if action == "write" and resolved.startswith(("/proc/", "/sys/")):
            raise self._denied(action, path, "it belongs to the system")
        try:
            mode = Path(resolved).stat().st_mode
        except (OSError, ValueError):
            return
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise self._denied(action, path, "it is no regular file")

    def _check_links(self, action: str, path: str, resolved: str) -> None:
        """A hard link is the file itself under another name."""
        try:
            found = Path(resolved).lstat()
        except (OSError, ValueError):
            return
        if found.st_nlink < 2 or not stat.S_ISREG(found.st_mode):
            return
        protected = self._identities(writing=action == "write")
        name = protected.get((found.st_dev, found.st_ino))
        if name is not None:
            raise self._denied(action, path, f"it is a hard link to {name}")

    def _identities(self, *, writing: bool) -> dict[tuple[int, int], str]:
        """The protected files that exist now, by device and inode."""
        found: dict[tuple[int, int], str] = {}
        for home, agent in self._pairs():
            for name in (*policy_files(agent), *linked_files(home)):
                judged = (
                    guarded(name, home=home, hermes_home=agent) is not None
                    if writing
                    else secret(name, home=home, hermes_home=agent)
                )
                if judged:
                    identity = _identity(name)
                    if identity is not None:
                        found[identity] = name
        return found

    def _denied(self, action: str, path: str, why: str) -> DeniedError:
        return DeniedError(
            f"{path} may not be {'written' if action == 'write' else 'read'}: {why}.",
            hint="Ask the person to do it, or use another file.",
        )


def _identity(name: str) -> tuple[int, int] | None:
    try:
        found = Path(name).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _expanded(path: str, home: str) -> str:
    return home + path[1:] if path == "~" or path.startswith("~/") else path


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")


def _foreign(path: str) -> bool:
    """`/dev/fd/3`, `/proc/self/fd/3`, `/proc/1/cwd/…`, `/proc/1/root/…`: a process's own view."""
    parts = path.split("/")
    parts = [p for p in parts if p not in ("", ".")]
    if parts[:2] == ["dev", "fd"] or parts[:2] in (
        ["dev", "stdin"],
        ["dev", "stdout"],
        ["dev", "stderr"],
    ):
        return True
    if len(parts) > 2 and parts[0] == "proc":
        below = parts[2:] if parts[2] != "task" else parts[4:]
        return below[:1] in (["fd"], ["cwd"], ["root"], ["fdinfo"], ["map_files"], ["exe"])
    return False
