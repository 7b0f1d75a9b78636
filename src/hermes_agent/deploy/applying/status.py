"""How the deployments of this machine are: the facts behind `hermes deploy status`."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from hermes_agent.deploy import reading
from hermes_agent.deploy.applying import accounts
from hermes_agent.deploy.applying.gate import gate
from hermes_agent.deploy.applying.plan import (
    applied_generation,
    declared_settings,
    installed_generation,
    pending,
    replaced,
)
from hermes_agent.deploy.applying.starting import plain
from hermes_agent.deploy.places import Places, Roots
from hermes_agent.deploy.spec import Specification
from hermes_agent.deploy.units.systemctl import NoSystemd, Systemd
from hermes_agent.domain.errors import HermesError


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """Unknown is None. `installed` and `applied` are generations: what is declared now, and what
    the last start used; `replaced` says that the package was installed anew since then, `gate` how
    strong the gate before commands is, `fault` what is wrong with the installation itself."""

    name: str
    unit: str
    manager: str | None = None
    scope: str = "system"
    mode: str | None = None
    user: str | None = None
    state_dir: str | None = None
    package: str | None = None
    active: str | None = None
    enabled: str | None = None
    status: str | None = None
    pid: int | None = None
    restarts: int | None = None
    exit_status: int | None = None
    installed: str | None = None
    applied: str | None = None
    pending: bool | None = None
    replaced: bool | None = None
    gate: str | None = None
    fault: str | None = None


class _Entry(msgspec.Struct, frozen=True):
    home: str = ""
    manager: str | None = None
    mode: str | None = None
    user: str | None = None
    package: str | None = None
    name: str = ""


def deployments(roots: Roots, *, system: bool, environ: Mapping[str, str]) -> list[Deployment]:
    """All that are known below these roots, by name."""
    try:
        systemd = Systemd(system=system, environ=environ)
    except NoSystemd:
        systemd = None
    names = sorted({*_names(roots.registry / "specifications"), *_names(roots.registry / "homes")})
    return [_deployment(Places(roots, name), systemd, system=system) for name in names]


def _deployment(places: Places, systemd: Systemd | None, *, system: bool) -> Deployment:
    name = places.name
    found = Deployment(name=name, unit=f"{name}.service", scope="system" if system else "user")
    entry = _entry(places)
    if entry is not None:
        found = msgspec.structs.replace(
            found,
            manager=entry.manager,
            mode=entry.mode,
            user=entry.user,
            package=entry.package,
            state_dir=os.path.dirname(entry.home) or None,  # noqa: PTH120  text
        )
    try:
        found = _with_specification(found, places)
    except HermesError as error:
        found = msgspec.structs.replace(found, fault=error.message)
    return found if systemd is None else _with_unit(found, systemd.show(found.unit))


def _with_specification(found: Deployment, places: Places) -> Deployment:
    if not places.specification.exists() or not os.access(places.specification, os.R_OK):
        return found
    spec = reading.read(places.specification)
    settings, _ = declared_settings(spec)
    missing = accounts.missing(msgspec.structs.replace(spec, create_user=True))
    installed = installed_generation(spec)
    applied = applied_generation(places)
    anew = replaced(spec, places)
    return msgspec.structs.replace(
        found,
        manager=spec.manager,
        mode=_mode(spec),
        user=spec.user if spec.scope == "system" else None,
        state_dir=spec.state_dir,
        package=spec.package,
        installed=installed,
        applied=applied,
        pending=pending(places).exists() or installed != applied or anew,
        replaced=anew,
        gate=gate(spec, settings),
        fault=_missing(missing) if missing else None,
    )


def _with_unit(found: Deployment, shown: dict[str, str]) -> Deployment:
    if shown.get("LoadState") == "not-found":
        return msgspec.structs.replace(found, active="not installed")
    return msgspec.structs.replace(
        found,
        active=shown.get("ActiveState"),
        enabled=shown.get("UnitFileState"),
        status=plain(shown.get("StatusText", "")) or None,
        pid=int(shown.get("MainPID") or 0) or None,
        restarts=int(shown.get("NRestarts") or 0),
        exit_status=int(shown.get("ExecMainStatus") or 0),
    )


def _missing(commands: list[list[str]]) -> str:
    kind = "group" if commands[0][0] == "groupadd" else "user"
    return f"there is no {kind} {commands[0][-1]}; hermes deploy apply makes it anew"


def _mode(spec: Specification) -> str:
    return "container" if spec.container.enable else "native"


def _names(folder: Path) -> Iterator[str]:
    return (file.stem for file in folder.glob("*.json"))


def _entry(places: Places) -> _Entry | None:
    try:
        return msgspec.json.decode(places.entry.read_bytes(), type=_Entry)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
