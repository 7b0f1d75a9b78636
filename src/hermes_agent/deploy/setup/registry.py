"""The registry's entry: makes the home a managed one, and holds the declaration.

Everybody may read it, so literal secrets among the settings stay in config.yaml alone.
"""

import os
from pathlib import Path
from typing import Any, cast

import msgspec

from hermes_agent.config import keys
from hermes_agent.config.secret_names import looks_secret
from hermes_agent.deploy.setup import state
from hermes_agent.deploy.setup.account import Account
from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.setup.handles import Folder, Unreadable
from hermes_agent.deploy.spec import Specification

MOST_BYTES = 4 * 1024 * 1024


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """See `hermes_agent.config.managed`. `command` makes plain `hermes` mean this home; `mode` is
    native or container, `workspace` as the host sees it, `program` the engine's, if it is named,
    `path` the native service's PATH."""

    home: str
    device: int
    inode: int
    manager: str
    settings: dict[str, Any]
    name: str
    uid: int
    gid: int
    user: str
    group: str
    mode: str
    scope: str
    command: bool
    package: str
    workspace: str
    backend: str
    program: str
    path: str


class _Other(msgspec.Struct, frozen=True):
    home: str = ""
    device: int | None = None
    inode: int | None = None


def entry(
    spec: Specification, account: Account, identity: tuple[int, int], settings: dict[str, Any]
) -> Entry:
    """What to write for this deployment."""
    from hermes_agent.deploy.native.unit import search_path

    return Entry(
        home=spec.home,
        device=identity[0],
        inode=identity[1],
        manager=spec.manager,
        settings=public(settings),
        name=spec.name,
        uid=account.uid,
        gid=account.gid,
        user=account.user,
        group=account.group,
        mode="container" if spec.container.enable else "native",
        scope=spec.scope,
        command=spec.add_to_system_packages,
        package=spec.package,
        workspace=state.workspace(spec),
        backend=spec.container.backend,
        program=spec.container.program or "",
        path="" if spec.container.enable else search_path(spec),
    )


def refuse_conflicts(folder: Folder, spec: Specification, identity: tuple[int, int] | None) -> None:
    """Two specifications must not share a name or a home. Raises `SetupFailed`."""
    own = f"{spec.name}.json"
    for file in sorted(os.listdir(folder.handle)):  # noqa: PTH208  a handle, not a path
        if not file.endswith(".json"):
            continue
        other = _read(folder, file)
        path = folder.named(file)
        if file == own:
            if other.home and other.home != spec.home and _leads_to(other.home) is not None:
                raise SetupFailed(
                    f"There is another deployment called {spec.name}, with its state in"
                    f" {Path(other.home).parent}",
                    hint=f"Give this one another name. If the other is no longer used: rm {path}",
                )
            continue
        same = other.home == spec.home
        if identity is not None:
            same = same or identity in ((other.device, other.inode), _leads_to(other.home))
        if same:
            raise SetupFailed(
                f"{spec.home} belongs to the deployment {file.removesuffix('.json')} already",
                hint=f"Choose another stateDir. If that one is no longer used: rm {path}",
            )


def write(folder: Folder, spec: Specification, entry: Entry) -> bool:
    """Put it there; False if it was so already. Raises `SetupFailed`."""
    data = msgspec.json.format(msgspec.json.encode(entry, order="sorted"), indent=2) + b"\n"
    if len(data) > MOST_BYTES:
        raise SetupFailed(f"The settings are longer than {MOST_BYTES:,} bytes")
    return folder.replace(f"{spec.name}.json", data, 0o644)


def public(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings without literal secrets; `${NAME}` is none."""
    from hermes_agent.config.schema import Config

    return cast("dict[str, Any]", _public(settings, keys.Shape(section=Config)))


def _public(value: Any, shape: keys.Shape) -> Any:
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for key, each in cast("dict[str, Any]", value).items():
        inner = _inner(shape, key)
        secret = inner.secret or (shape.section is None and looks_secret(key))
        if secret and isinstance(each, str) and "${" not in each:
            continue
        kept[key] = _public(each, inner)
    return kept


def _inner(shape: keys.Shape, key: str) -> keys.Shape:
    if shape.section is not None:
        kinds = keys.fields(shape.section)
        return keys.shape(kinds[key]) if key in kinds else keys.Shape(free=True)
    return keys.shape(shape.values) if shape.values is not None else keys.Shape(free=True)


def _read(folder: Folder, name: str) -> _Other:
    try:
        data = folder.read(name, MOST_BYTES)
        return _Other() if data is None else msgspec.json.decode(data, type=_Other)
    except (Unreadable, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SetupFailed(
            f"The registry entry {folder.named(name)} cannot be read: {error}",
            hint="Mend it or remove it.",
        ) from error


def _leads_to(home: str) -> tuple[int, int] | None:
    if not home:
        return None
    try:
        about = Path(home).lstat()
    except OSError:
        return None
    return about.st_dev, about.st_ino
