"""Installs what a specification describes and starts it; what is so already is left alone."""

import os
from collections.abc import Callable, Mapping

import msgspec

from hermes_agent.config.files import NotWritten, write_atomically
from hermes_agent.deploy.applying import accounts, copies
from hermes_agent.deploy.applying.alone import alone
from hermes_agent.deploy.applying.plan import Plan, pending, plan, require_rights
from hermes_agent.deploy.applying.starting import start_anew
from hermes_agent.deploy.host import installing
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.spec import Specification
from hermes_agent.deploy.units.systemctl import Systemd
from hermes_agent.domain.errors import HermesError

Say = Callable[[str], None]
MANAGER_SECONDS = 5.0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`changes` are sentences; `service` is what happened to it; `warnings` are sentences too."""

    name: str
    unit: str
    generation: str
    changes: tuple[str, ...]
    service: str
    dry_run: bool = False
    warnings: tuple[str, ...] = ()


def apply(
    spec: Specification,
    *,
    start: bool = True,
    dry_run: bool = False,
    say: Say,
    environ: Mapping[str, str] = os.environ,
) -> Outcome:
    """Raises `HermesError`s; where nothing was started the old service still runs."""
    require_rights(spec, environ)
    systemd = Systemd(system=spec.scope == "system", environ=environ)
    with alone(Places.of(spec).lock, say):
        return _apply(spec, systemd, environ, start=start, dry_run=dry_run, say=say)


def _apply(
    spec: Specification,
    systemd: Systemd,
    environ: Mapping[str, str],
    *,
    start: bool,
    dry_run: bool,
    say: Say,
) -> Outcome:
    wanted = plan(spec, systemd, environ)
    service = _service(wanted, systemd, start=start)
    outcome = Outcome(
        name=spec.name,
        unit=spec.unit,
        generation=wanted.generation,
        changes=wanted.changes,
        service=service,
        dry_run=dry_run,
        warnings=wanted.warnings,
    )
    if service == "restarted" and wanted.fault is not None:
        raise HermesError(
            f"{wanted.fault.message}; nothing was changed, for {spec.unit} runs and could not"
            " start again",
            hint=wanted.fault.hint,
        )
    if wanted.fault is not None and (dry_run or service != "started"):
        warnings = (*wanted.warnings, wanted.fault.message)
        outcome = msgspec.structs.replace(outcome, warnings=warnings)
    if dry_run:
        return outcome
    for change in wanted.changes:
        say(change[:1].upper() + change[1:])
    warnings = (*outcome.warnings, *_install(wanted, systemd))
    if service == "restarted":
        say(f"Restarting {spec.unit}; running turns end first")
        start_anew(systemd, spec, "restart", say=say)
    elif service == "started":
        say(f"Starting {spec.unit}")
        start_anew(systemd, spec, "start", say=say)
    if service != "not started":
        pending(wanted.places).unlink(missing_ok=True)
    return msgspec.structs.replace(outcome, warnings=warnings)


def _service(wanted: Plan, systemd: Systemd, *, start: bool) -> str:
    state = systemd.show(wanted.spec.unit).get("ActiveState")
    if not start:
        return "not started"
    if state in ("active", "reloading"):
        return "restarted" if wanted.restart else "unchanged"
    return "started"


def _install(wanted: Plan, systemd: Systemd) -> list[str]:
    spec, places = wanted.spec, wanted.places
    warnings: list[str] = []
    accounts.make(wanted.accounts)
    try:
        if spec.scope == "system":
            _make_roots(wanted)
        places.specification.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        wanted.unit_file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if wanted.unit_file.is_symlink():
            wanted.unit_file.unlink()  # a link, as `systemctl mask` makes it, is replaced
        if wanted.restart:
            pending(places).touch()
    except OSError as error:
        raise NotWritten(f"Cannot write {error.filename}: {error.strerror}") from error
    copies.write(places, wanted.copies)
    write_atomically(places.specification, wanted.specification, 0o600)
    write_atomically(wanted.unit_file, wanted.unit, 0o644)
    if wanted.mount is not None:
        write_atomically(*wanted.mount, 0o644)
    copies.sweep(places, wanted.copies)
    if spec.scope == "system":
        warnings += installing.install(spec)
    elif not systemd.linger(_me()):
        warnings.append(
            "The agent will end when you log out, and not start with the machine; this user may"
            f" not change that. Have root run: loginctl enable-linger {_me()}"
        )
    systemd.wait_for_manager(0.0 if spec.scope == "system" else MANAGER_SECONDS)
    mounts = () if wanted.mount is None else (wanted.mount[0].name,)
    systemd.tell("enable", "--quiet", spec.unit, *mounts)
    return warnings


def _make_roots(wanted: Plan) -> None:
    from hermes_agent.deploy.setup.way import Make, enter

    registry = str(wanted.places.roots.registry)
    for path in (registry, f"{registry}/specifications"):
        os.close(enter(path, owners=frozenset((0,)), make=Make(0o755)))


def _me() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name
