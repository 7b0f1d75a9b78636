"""The deployments of this machine, as the root-owned registry has them.

Read with little of the standard library: every `hermes` on a machine with a deployment passes here.
`hermes_agent.deploy.setup.registry` writes the entries and says what is in them; an entry without
a `uid` only says that a home is managed.
"""

import json
import os
import re
import stat
from typing import Any, NamedTuple, cast

from hermes_agent.domain.errors import ConfigError, NotFoundError

REGISTRY = "/etc/hermes-agent"
MOST_BYTES = 4 * 1024 * 1024
NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


class Deployment(NamedTuple):
    """One deployment; `home` is its HERMES_HOME on this side, `path` its PATH if that is not the
    usual one."""

    name: str
    home: str
    uid: int
    gid: int
    user: str
    group: str
    package: str
    container: bool = False
    command: bool = False
    manager: str = "nixos"
    workspace: str = ""
    backend: str = "docker"
    program: str = ""
    path: str = ""
    device: int | None = None
    inode: int | None = None

    @property
    def state(self) -> str:
        """The state directory."""
        return self.home.rpartition("/")[0] or "/"


def deployments(registry: str = REGISTRY) -> list[Deployment]:
    """All of them, by name. Raises `ConfigError` where one cannot be read or trusted."""
    folder = f"{registry}/homes"
    try:
        files = sorted(file for file in os.listdir(folder) if file.endswith(".json"))  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ConfigError(f"Cannot read the registry {folder}: {error.strerror}") from error
    found = (_read(f"{folder}/{file}") for file in files)
    return [deployment for deployment in found if deployment is not None]


def deployment(name: str, registry: str = REGISTRY) -> Deployment:
    """The one of that name; the name is never taken for a path. Raises `HermesError`s."""
    if NAME.fullmatch(name):
        for each in deployments(registry):
            if each.name == name:
                return each
    raise NotFoundError(
        f"There is no deployment {name!r} on this machine",
        hint="The registry in /etc/hermes-agent/homes is written when its service starts.",
    )


def _read(path: str) -> Deployment | None:
    """The deployment of an entry; None of an entry that only says that a home is managed."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None  # removed a moment ago
    except OSError as error:
        raise ConfigError(
            f"Cannot read the registry entry {path}: {error.strerror}",
            hint="Entries must be plain files that everybody may read (0644).",
        ) from error
    with os.fdopen(fd, "rb") as file:
        about = os.fstat(fd)
        if not _roots_own(about) or not stat.S_ISREG(about.st_mode) or not _roots_way(path):
            raise ConfigError(
                f"The registry entry {path} cannot be trusted",
                hint="It and every folder above it must belong to root, writable by root alone.",
            )
        data = file.read(MOST_BYTES)
    try:
        raw = json.loads(data)
        return _deployment(cast("dict[str, Any]", raw)) if isinstance(raw, dict) else None
    except (ValueError, TypeError) as error:
        raise ConfigError(f"The registry entry {path} is damaged: {error}") from error


def _deployment(raw: dict[str, Any]) -> Deployment | None:
    if raw.get("uid") is None or not raw.get("name") or raw.get("scope") == "user":
        return None
    texts = ("name", "home", "user", "group", "package")
    for key in texts:
        if not isinstance(raw.get(key), str) or not raw[key]:
            raise ValueError(f"{key} is missing")
    for key in ("uid", "gid"):
        if type(raw.get(key)) is not int or not 0 <= raw[key] < 2**32 - 1:
            raise ValueError(f"{key} is not the number of an account")
    if not NAME.fullmatch(raw["name"]):
        raise ValueError("name is not that of a deployment")
    for key in ("home", "package"):
        if not raw[key].startswith("/"):
            raise ValueError(f"{key} is not an absolute path")
    home = raw["home"].rstrip("/")
    return Deployment(
        **{key: raw[key] for key in texts if key != "home"},
        home=home,
        uid=raw["uid"],
        gid=raw["gid"],
        container=raw.get("mode") == "container",
        command=raw.get("command") is True,
        manager=str(raw.get("manager") or "nixos"),
        workspace=str(raw.get("workspace") or f"{home.rpartition('/')[0]}/workspace"),
        backend="podman" if raw.get("backend") == "podman" else "docker",
        program=str(raw.get("program") or ""),
        path=str(raw.get("path") or ""),
        device=raw.get("device"),
        inode=raw.get("inode"),
    )


def _roots_own(about: os.stat_result) -> bool:
    return about.st_uid == 0 and not about.st_mode & 0o022


def _roots_way(path: str) -> bool:
    """Whether root alone decides what this path leads to.

    Above the folder itself one that others may write to is good enough if it is sticky.
    """
    folder: str = os.path.dirname(os.path.realpath(path))  # noqa: PTH120
    if not _roots_own(os.lstat(folder)):
        return False
    while folder != "/":
        folder = os.path.dirname(folder)  # noqa: PTH120
        about = os.lstat(folder)
        if about.st_uid != 0 or (about.st_mode & 0o022 and not about.st_mode & stat.S_ISVTX):
            return False
    return True
