"""What `hermes deploy apply` would do: what is wanted beside what is there. Nothing is written."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hermes_agent.config import reading as settings_reading
from hermes_agent.deploy import reading
from hermes_agent.deploy.applying import accounts, copies, neighbours, obstacles
from hermes_agent.deploy.applying.trust import require_package
from hermes_agent.deploy.applying.unit import render, unit_file
from hermes_agent.deploy.host import installing
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.setup import documents, generation, records, sources
from hermes_agent.deploy.setup.prepare import MOST_AUTH
from hermes_agent.deploy.setup.records import Record
from hermes_agent.deploy.spec import Specification
from hermes_agent.deploy.units.systemctl import Systemd
from hermes_agent.domain.errors import ConfigError, HermesError, UsageError

NIXOS = Path("/etc/NIXOS")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`changes` are sentences about what is not as it should be; `restart` says that the service
    runs with something else than what is wanted, or may do so; `mount` is the unit that seals a
    container's state; `fault` is why the service could not start now; `warnings` are sentences."""

    spec: Specification
    places: Places
    unit_file: Path
    unit: bytes
    mount: tuple[Path, bytes] | None
    specification: bytes
    copies: dict[str, bytes]
    accounts: list[list[str]]
    generation: str
    changes: tuple[str, ...]
    restart: bool
    fault: HermesError | None
    warnings: tuple[str, ...]


def pending(places: Places) -> Path:
    """A file that is there while something was installed and the service not yet started anew."""
    return places.specification.with_suffix(".pending")


def plan(declared: Specification, systemd: Systemd, environ: Mapping[str, str]) -> Plan:
    """Look at everything. Raises `HermesError`s."""
    places = Places.of(declared)
    require_package(declared)
    obstacles.require_container(declared)
    missing = accounts.missing(declared)
    unit_path = unit_file(declared, environ)
    neighbours.require_free(declared, places, unit_path, systemd)
    spec, copied = copies.localised(declared, places)
    settings, config = declared_settings(declared)
    unit = render(spec, places, settings).encode()
    mount, remark = _mount(spec, systemd)
    specification = reading.encode(spec)
    number = _generation(spec, config, copied)
    changes = [f"make the account {command[-1]} ({command[0]})" for command in missing]
    files = [(places.specification, specification), (unit_path, unit)]
    for path, data in files if mount is None else [*files, mount]:
        before = _content(path)
        if before != data:
            changes.append(f"{'write' if before is None else 'change'} {path}")
    read = obstacles.look(spec, places)
    if read.changed:
        changes.append("hand over changed variables and secrets")
    if replaced(spec, places):
        changes.append(f"run what {spec.package} holds now")
    applied = applied_generation(places)
    restart = bool(changes) or applied != number or pending(places).exists()
    if spec.scope == "system":
        changes += installing.changes(spec)
    return Plan(
        spec=spec,
        places=places,
        unit_file=unit_path,
        unit=unit,
        mount=mount,
        specification=specification,
        copies=copied,
        accounts=missing,
        generation=number,
        changes=tuple(changes),
        restart=restart,
        fault=read.fault,
        warnings=(*(each.text for each in obstacles.remarks(settings)), *remark),
    )


def require_rights(spec: Specification, environ: Mapping[str, str]) -> None:
    """That this person may do it, on this machine. Raises `HermesError`s."""
    if spec.manager != "deploy":
        raise UsageError(
            f"This specification belongs to {spec.manager}, which applies it itself",
            hint="Leave manager out of a specification for hermes deploy apply.",
        )
    if spec.scope == "system" and NIXOS.exists():
        raise HermesError(
            "On NixOS services are declared, not applied",
            hint="Use the module: services.hermes-agent in configuration.nix.",
        )
    if spec.scope == "system" and os.geteuid() != 0:
        raise HermesError(
            "Only root can change services of the machine",
            hint="Use sudo; for a service of your own, set scope: user.",
        )
    if spec.scope == "user" and os.geteuid() == 0 and environ.get("SUDO_USER"):
        raise UsageError(
            "scope is user: with sudo this would be a service of root's",
            hint="Leave sudo out, or set scope: system.",
        )


def declared_settings(spec: Specification) -> tuple[dict[str, Any], bytes | None]:
    """The declaration, from `config_file` too, and that file's content. Raises `ConfigError`."""
    if spec.config_file is None:
        return spec.declared, None
    data = sources.read(spec.config_file, "the configuration file", settings_reading.MAX_BYTES)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"configFile {spec.config_file} is not UTF-8 text") from error
    settings = settings_reading.parse(text, spec.config_file).data
    faults = reading.faults_of_settings(settings)
    if faults:
        texts = [fault.message for fault in faults]
        raise ConfigError("\n  ".join([f"configFile {spec.config_file}:", *texts]))
    return settings, data


def applied_generation(places: Places) -> str | None:
    """That of the last start; None if that is not to be known."""
    record = _record(places)
    return None if record is None else record.generation


def replaced(spec: Specification, places: Places) -> bool:
    """Whether the package has been installed anew at its place since the last start."""
    record = _record(places)
    before = "" if record is None else record.program
    return before not in ("", records.stamp(spec.program))


def installed_generation(spec: Specification) -> str | None:
    """That of an installed specification; None if that is not to be known."""
    try:
        _, config = declared_settings(spec)
        return _number(spec, config, documents.gather(spec.documents))
    except HermesError:
        return None


def _mount(spec: Specification, systemd: Systemd) -> tuple[tuple[Path, bytes] | None, list[str]]:
    if not spec.container.enable:
        return None, []
    from hermes_agent.deploy.container import sealing, state_mount

    path = state_mount.unit_file(spec)
    fragment = systemd.show(path.name).get("FragmentPath", "")
    if not fragment or fragment == str(path):
        return (path, state_mount.render(spec).encode()), []
    # The owner's own mount, which one of ours would take the place of.
    if Path(spec.state_dir).is_dir() and sealing.sealed(spec.state_dir):
        return None, []
    return None, [
        f"{spec.state_dir} is mounted by {fragment}: add nosuid,nodev to its options, or setuid"
        " files that root of the container leaves there count from a boot to the service's start"
    ]


def _generation(spec: Specification, config: bytes | None, copied: dict[str, bytes]) -> str:
    contents = {
        name: (document.text or "").encode("utf-8", "surrogateescape")
        if document.path is None
        else copied[Path(document.path).name]
        for name, document in spec.documents.items()
    }
    return _number(spec, config, contents)


def _number(spec: Specification, config: bytes | None, contents: dict[str, bytes]) -> str:
    auth = spec.auth_file and sources.read(spec.auth_file, "the auth file", MOST_AUTH)
    return generation.of(spec, config, auth or None, contents)


def _record(places: Places) -> Record | None:
    data = _content(places.record)
    try:
        return None if data is None else msgspec.json.decode(data, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
