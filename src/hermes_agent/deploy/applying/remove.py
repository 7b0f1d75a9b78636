"""Takes a deployment off the machine; its state stays unless it is purged."""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from hermes_agent.deploy import reading
from hermes_agent.deploy.applying import copies
from hermes_agent.deploy.applying.alone import alone
from hermes_agent.deploy.applying.plan import pending
from hermes_agent.deploy.applying.starting import start_anew
from hermes_agent.deploy.applying.unit import is_ours, unit_file
from hermes_agent.deploy.container import state_mount
from hermes_agent.deploy.container.sealing import note as sealing_note
from hermes_agent.deploy.container.sealing import unseal
from hermes_agent.deploy.host import installing
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.spec import Specification
from hermes_agent.deploy.units.systemctl import Systemd
from hermes_agent.domain.errors import ConfigError, EnvironmentFault, HermesError, NotFoundError

Say = Callable[[str], None]
_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


def installed(name: str, places: Places, environ: Mapping[str, str] = os.environ) -> Specification:
    """The specification that `hermes deploy apply` keeps of it.

    One that cannot be read any longer gives what its name alone tells; then nothing can be purged.
    Raises `NotFoundError`.
    """
    if not _NAME.fullmatch(name):
        raise NotFoundError(f"There is no deployment {name!r}")
    scope = "user" if places.roots.registry != Path("/etc/hermes-agent") else "system"
    rest = Specification(name=name, package="/", scope=scope, state_dir="/")
    if places.specification.exists():
        try:
            return reading.read(places.specification)
        except ConfigError:
            return rest
    path = unit_file(rest, environ)
    if os.path.lexists(path) and not is_ours(path):
        raise HermesError(
            f"hermes deploy apply did not write {path}",
            hint="What declares this service has to remove it.",
        )
    if path.exists() or places.entry.exists():
        return rest
    raise NotFoundError(
        f"There is no deployment {name} that hermes deploy apply made",
        hint="See what there is with: hermes deploy status",
    )


def remove(
    spec: Specification,
    places: Places,
    *,
    purge: bool,
    say: Say,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Stop, disable and delete everything but the state; with `purge` the state too.

    Raises `HermesError`s.
    """
    if purge:
        _require_known(spec)
    path = unit_file(spec, environ)
    if os.path.lexists(path) and not is_ours(path):
        raise HermesError(
            f"hermes deploy apply did not write {path}",
            hint="What declares this service has to remove it.",
        )
    systemd = Systemd(system=spec.scope == "system", environ=environ)
    with alone(places.lock, say):
        _remove(spec, places, path, systemd, purge=purge, say=say)


def _remove(
    spec: Specification, places: Places, path: Path, systemd: Systemd, *, purge: bool, say: Say
) -> None:
    if path.exists():
        if systemd.show(spec.unit).get("ActiveState") not in ("inactive", "failed"):
            say(f"Stopping {spec.unit}; running turns end first")
            start_anew(systemd, spec, "stop", say=say)
        systemd.tell("disable", "--quiet", spec.unit)
        path.unlink()
        say(f"Removed {path}")
    systemd.tell("daemon-reload")
    if spec.scope == "system":
        gone = installing.leftovers(spec.name)
        installing.uninstall(spec.name)
        for change in gone:
            say(change.replace("remove ", "Removed ", 1))
    if spec.container.enable:
        _leave_container(spec, purge=purge, say=say)
    copies.sweep(places, {})
    for file in (places.entry, places.record, pending(places), places.specification):
        if file.exists():
            file.unlink()
            say(f"Removed {file}")
    shutil.rmtree(places.runtime, ignore_errors=True)
    sealed = _open_up(spec, places, systemd, say=say)
    if purge:
        _purge(spec)
        say(f"Deleted {spec.state_dir}")
    elif spec.state_dir != "/":
        say(f"The state in {spec.state_dir} was kept{sealed}")


def _leave_container(spec: Specification, *, purge: bool, say: Say) -> None:
    """Its writable layer is state too: kept unless that is deleted."""
    from hermes_agent.deploy.container.engine import Engine
    from hermes_agent.deploy.container.links import gc_root

    link = gc_root(spec)
    if spec.gc_roots is not None and link is not None:
        Path(spec.gc_roots, link).unlink(missing_ok=True)
    try:
        engine = Engine.of(spec.container)
        for found in engine.labelled(spec.name):
            if purge:
                engine.remove(found.id)
                say(f"Deleted the container {found.name}")
            else:
                say(f"The container {found.name} was kept, with what is installed in it")
    except EnvironmentFault as error:
        say(f"The container of {spec.name} was left as it is: {error.message}")


def _open_up(spec: Specification, places: Places, systemd: Systemd, *, say: Say) -> str:
    """Take the seal off the state directory, when nothing in there needs it any longer; else what
    keeps it."""
    if spec.scope != "system":
        return ""
    mounts = list(state_mount.installed(spec.name))
    if spec.state_dir == "/":
        for path in mounts:
            say(f"{path} was kept: it is about a directory that this does not look into")
        return ""
    if not mounts and not spec.container.enable:
        return ""
    if not _defuse(spec, say):
        return f", with {mounts[0].name} over it" if mounts else ""
    try:
        unseal(spec.state_dir, sealing_note(places))
    except OSError as error:
        raise HermesError(
            f"The mount over {spec.state_dir} could not be taken away: {error.strerror}",
            hint=f"Take it away (umount {spec.state_dir}), then run this again.",
        ) from error
    for path in mounts:
        systemd.tell("disable", "--now", "--quiet", path.name)
        path.unlink()
        say(f"Removed {path}")
    systemd.tell("daemon-reload")
    return ""


def _defuse(spec: Specification, say: Say) -> bool:
    """At the next start of the machine nothing would make setuid files in there inert."""
    from hermes_agent.deploy.container.defusing import defuse

    try:
        found = defuse(spec.state_dir) if os.path.isdir(spec.state_dir) else 0  # noqa: PTH112
    except OSError as error:
        say(f"Look for setuid files in {spec.state_dir} yourself: {error.strerror}")
        return False
    if found:
        say(f"Took setuid bits, capabilities or devices from {found} files in {spec.state_dir}")
    return True


def _require_known(spec: Specification) -> None:
    if spec.state_dir == "/":
        raise HermesError(
            f"Where {spec.name} has its state is not known: its specification cannot be read",
            hint="Leave --purge out, and delete the state directory yourself.",
        )


def _require_no_mounts(folder: str) -> None:
    """What is mounted in there belongs to others, and deleting goes through mounts: proc(5)."""
    lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    places = (os.fsdecode(line.split(b" ")[4]) for line in lines)
    mounted = sorted(place for place in places if f"{place}/".startswith(f"{folder}/"))
    if mounted:
        raise HermesError(
            f"{', '.join(mounted[:3])} is mounted in {folder}; nothing of the state was deleted",
            hint=f"Take it away (umount {mounted[0]}), then delete {folder} yourself.",
        )


def _purge(spec: Specification) -> None:
    """The agent can have planted links in there: none is followed (`rmtree` uses handles)."""
    if not os.path.lexists(spec.state_dir):
        return
    if Path(spec.state_dir).is_symlink():
        raise HermesError(
            f"{spec.state_dir} is a symbolic link; nothing of it was deleted",
            hint="Delete the state yourself.",
        )
    try:
        _require_no_mounts(spec.state_dir)
        shutil.rmtree(spec.state_dir)
    except OSError as error:
        raise HermesError(
            f"Not all of {spec.state_dir} could be deleted: {error.filename}: {error.strerror}",
            hint="Is something mounted there, or a file immutable (lsattr)?",
        ) from error
