"""Managed mode: a declaration owns this home, and the command line may not fight it.

Three signals, each of which can only add: an entry in the root-owned registry, the variable
HERMES_MANAGED, the file `.managed` in HERMES_HOME. Only the registry also carries settings.

A registry entry is a JSON file, world-readable and written by root, in `/etc/hermes-agent/homes/`:
`{"home": "/var/lib/hermes/.hermes", "device": 65025, "inode": 1311, "manager": "nixos",
"settings": {…as in config.yaml…}}`. It speaks for the directory with that device and inode, and
for the one that stands at `home` now. An entry of a deployment also has `name`, `uid`, `gid`,
`user`, `group`, `mode` (native or container), `scope`, `command`, `package`, `workspace`,
`backend`, `program` and `path`; they are for the host command and mean nothing here.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hermes_agent.config.paths import Paths
from hermes_agent.domain.errors import ConfigError, ManagedError

REGISTRY = Path("/etc/hermes-agent")
"""Where root keeps the registry. Tests pass another; no variable can."""

MAX_ENTRY_BYTES = 4 * 1024 * 1024

_YES = ("true", "1", "yes", "on")
_NO = ("", "false", "0", "no", "off")


class Manager(msgspec.Struct, frozen=True):
    """Who manages: the name that people know, what to edit, what to run then."""

    name: str
    edit: str
    run: str | None = None


_MANAGERS = {
    "deploy": Manager("hermes deploy", "the specification", "sudo hermes deploy apply FILE"),
    "nixos": Manager("NixOS", "configuration.nix", "sudo nixos-rebuild switch"),
    "home-manager": Manager("home-manager", "home.nix", "home-manager switch"),
    "nix-darwin": Manager("nix-darwin", "darwin-configuration.nix", "sudo darwin-rebuild switch"),
}


class Managed(msgspec.Struct, frozen=True):
    """This home is managed. `settings` is the declaration, None where no registry entry has one;
    `entry` is that entry's file, `mode` (native, container or empty) how it says the agent runs."""

    manager: Manager
    signal: str
    settings: dict[str, Any] | None = None
    entry: Path | None = None
    mode: str = ""

    def described(self) -> str:
        """Who manages, how, and which signal says so, for people."""
        mode = f"{self.mode} mode, " if self.mode else ""
        return f"{self.manager.name} ({mode}says {self.signal})"


class _Entry(msgspec.Struct):
    home: str = ""
    device: int | None = None
    inode: int | None = None
    manager: str = "nixos"
    mode: str = ""
    settings: dict[str, Any] | None = None


def manager_named(name: str) -> Manager:
    """The manager of that name; empty and `true` mean NixOS."""
    plain = "".join(c for c in name.strip() if c.isprintable())[:40]
    if plain.lower() in (*_YES, ""):
        plain = "nixos"
    return _MANAGERS.get(plain.lower()) or Manager(plain, f"what {plain} declares")


def find(
    paths: Paths, environ: Mapping[str, str] = os.environ, *, registry: Path = REGISTRY
) -> Managed | None:
    """Whether and by whom this home is managed.

    `environ` is the inherited environment, without `.env`. Raises `ConfigError` where a registry
    entry for this home cannot be read or trusted: then nobody can say what is declared.
    """
    found = _registered(paths.home, registry)
    if found is not None:
        return found
    value = environ.get("HERMES_MANAGED", "").strip()
    if value.lower() not in _NO:
        return Managed(manager_named(value), "HERMES_MANAGED")
    try:
        fd = os.open(paths.managed_marker, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return Managed(manager_named(""), ".managed")
    try:
        text = os.read(fd, 200).decode("utf-8", "replace")
    except OSError:
        text = ""
    finally:
        os.close(fd)
    return Managed(manager_named(text.strip().split("\n")[0]), ".managed")


def refusal(managed: Managed, doing: str) -> ManagedError:
    """The error that says so: what was not done, what to edit and run instead."""
    manager = managed.manager
    then = f" and run: {manager.run}" if manager.run else " and apply it"
    return ManagedError(
        f"Cannot {doing}: managed by {manager.name}", hint=f"Edit {manager.edit}{then}"
    )


def require_unmanaged(
    paths: Paths,
    environ: Mapping[str, str] = os.environ,
    *,
    doing: str = "save configuration",
    registry: Path = REGISTRY,
) -> None:
    """Raises `ManagedError` ("Cannot save configuration: managed by NixOS") in managed mode."""
    managed = find(paths, environ, registry=registry)
    if managed is not None:
        raise refusal(managed, doing)


def _registered(home: Path, registry: Path) -> Managed | None:
    folder = registry / "homes"
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(".json"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"Cannot read the registry {folder}: {error.strerror}") from error
    here = _identity(home)
    for name in names:
        path = folder / name
        entry, trusted = _read_entry(path)
        if here is None or not _speaks_for(entry, here):
            continue
        if not trusted or not _root_owned_way(folder):
            raise ConfigError(
                f"The registry entry {path} for this home cannot be trusted",
                hint="It and every folder above it must belong to root, writable by root alone.",
            )
        mode = entry.mode if entry.mode in ("native", "container") else ""
        return Managed(manager_named(entry.manager), str(path), entry.settings, path, mode)
    return None


def _identity(path: Path, *, follow: bool = True) -> tuple[int, int] | None:
    try:
        about = path.stat(follow_symlinks=follow)
    except OSError:
        return None
    return about.st_dev, about.st_ino


def _speaks_for(entry: _Entry, here: tuple[int, int]) -> bool:
    if (entry.device, entry.inode) == here:
        return True
    # The agent can put a link there that leads to somebody else's home.
    return bool(entry.home) and _identity(Path(entry.home), follow=False) == here


def _read_entry(path: Path) -> tuple[_Entry, bool]:
    """The entry, and whether root alone can have written it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(
            f"Cannot read the registry entry {path}: {error.strerror}",
            hint="Entries must be plain files that everybody may read (0644).",
        ) from error
    with os.fdopen(fd, "rb") as file:
        about = os.fstat(fd)
        regular = stat.S_ISREG(about.st_mode)
        data = file.read(MAX_ENTRY_BYTES) if regular else b""
    try:
        entry = msgspec.json.decode(data, type=_Entry)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The registry entry {path} is damaged: {error}") from error
    return entry, regular and about.st_uid == 0 and not about.st_mode & 0o022


def _root_owned_way(folder: Path) -> bool:
    """Whether only root can change what this path leads to.

    A folder that others may write to is good enough if it is sticky: what root owns in it stays.
    """
    real = Path(os.path.realpath(folder))
    for step in (real, *real.parents):
        about = step.lstat()
        loose = about.st_mode & 0o022 and not about.st_mode & stat.S_ISVTX
        if about.st_uid != 0 or loose:
            return False
    last = real.lstat()
    return not last.st_mode & 0o022
