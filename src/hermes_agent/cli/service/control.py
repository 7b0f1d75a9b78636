"""Starts, stops and restarts the gateway: by its unit, or by a signal to who holds the lock."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hermes_agent.cli.service.which import installed_service
from hermes_agent.config.managed import find
from hermes_agent.config.paths import Paths, hermes_home
from hermes_agent.deploy.units.service import Service
from hermes_agent.deploy.units.systemctl import NoSystemd, Systemd, SystemdRefused
from hermes_agent.domain.errors import ConfigError, HermesError, ManagedError
from hermes_agent.gateway.lock import Holder, holder, lock_file
from hermes_agent.gateway.process import send

Say = Callable[[str], None]
STOP_SECONDS = 180.0
NEWS_SECONDS = 5.0
LOOK_SECONDS = 0.1

NO_SERVICE = "hermes gateway install makes a service; hermes gateway run runs in the foreground."


def start(*, system: bool, say: Say, environ: Mapping[str, str] = os.environ) -> None:
    """Start the installed service. Raises `ManagedError` where it is somebody else's to start."""
    _refuse_where_managed("start", environ)
    service = installed_service(system=system, environ=environ)
    if service is None:
        found = holder(hermes_home(environ))
        if found is not None:
            say(f"The gateway runs already ({found.described()}).")
            return
        raise HermesError("No service is installed for this home", hint=NO_SERVICE)
    systemd = Systemd(system=service.system, environ=environ)
    start_unit(systemd, service, "start", say=say)
    say("The gateway runs.")


def stop(*, system: bool, say: Say, environ: Mapping[str, str] = os.environ) -> None:
    """Stop the gateway of this home, and wait until its turns have ended."""
    _refuse_where_managed("stop", environ)
    service = installed_service(system=system, environ=environ)
    home = service.hermes_home if service else hermes_home(environ)
    if service is not None:
        systemd = Systemd(system=service.system, environ=environ)
        if systemd.show(service.name).get("ActiveState") not in ("inactive", "failed"):
            start_unit(systemd, service, "stop", say=say)
    found = holder(home)
    if found is not None:
        _refuse_foreign_unit(found, "stop")
        _signal(home, found, signal.SIGTERM)
        _wait(home, found, say)
    say("The gateway is stopped.")


def restart(*, system: bool, say: Say, environ: Mapping[str, str] = os.environ) -> None:
    """Restart the installed service; its turns end first."""
    _refuse_where_managed("restart", environ)
    service = installed_service(system=system, environ=environ)
    if service is not None:
        systemd = Systemd(system=service.system, environ=environ)
        start_unit(systemd, service, "restart", say=say)
        say("The gateway runs anew.")
        return
    found = holder(hermes_home(environ))
    if found is not None:
        _refuse_foreign_unit(found, "restart")
        raise HermesError(
            f"The gateway ({found.described()}) is no service: nothing would start it again",
            hint="Take its place with: hermes gateway run --replace",
        )
    raise HermesError("No gateway runs, and none is installed", hint=NO_SERVICE)


def start_unit(systemd: Systemd, service: Service, verb: str, *, say: Say) -> None:
    """`systemctl VERB`, with news while it lasts. Raises `SystemdRefused`, `ConfigError`."""
    with systemd.start_telling(verb, "--", service.name) as running:
        while True:
            try:
                running.wait(NEWS_SECONDS)
                break
            except subprocess.TimeoutExpired:
                state = systemd.show(service.name)
                say(f"  {state.get('ActiveState', '')}: {state.get('StatusText', '')} …")
        words = running.stderr.read().strip() if running.stderr else ""
    if running.returncode == 0:
        return
    if systemd.show(service.name).get("ExecMainStatus") == "78":
        raise ConfigError(
            "The gateway cannot start: its configuration cannot be used",
            hint="See what is wrong with: hermes doctor, hermes logs",
        )
    scope = "" if service.system else "--user "
    raise SystemdRefused(
        f"systemctl {scope}{verb} {service.name} failed: {words or running.returncode}",
        hint=f"See why with: journalctl {scope}-u {service.name} -n 50",
    )


def supervising_unit(pid: int, environ: Mapping[str, str] = os.environ) -> tuple[str, bool] | None:
    """The unit whose main process that is, and whether it is one of the machine."""
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text("utf-8", "replace")
    except OSError:
        return None
    for line in groups.splitlines():
        unit = line.rpartition("/")[2]
        if not unit.endswith(".service"):
            continue
        system = "/user@" not in line
        try:
            known = Systemd(system=system, environ=environ).show(unit)
        except NoSystemd:
            return None
        if known.get("MainPID") == str(pid):
            return unit, system
    return None


def _refuse_where_managed(verb: str, environ: Mapping[str, str]) -> None:
    managed = find(Paths.of(environ), environ)
    if managed is None:
        return
    manager = managed.manager
    unit = f"{managed.entry.stem if managed.entry else 'hermes-agent'}.service"
    scope = "systemctl --user" if manager.name == "home-manager" else "sudo systemctl"
    raise ManagedError(
        f"Cannot {verb} the gateway: managed by {manager.name}",
        hint=f"Use: {scope} {verb} {unit}. To change for good how it runs, edit {manager.edit}",
    )


def _refuse_foreign_unit(found: Holder, verb: str) -> None:
    unit = supervising_unit(found.pid) if found.here else None
    if unit is None:
        return
    name, system = unit
    scope = "sudo systemctl" if system else "systemctl --user"
    raise HermesError(
        f"The gateway ({found.described()}) belongs to {name}, which would start it again",
        hint=f"Use: {scope} {verb} {name}",
    )


def _signal(home: Path, found: Holder, number: signal.Signals) -> None:
    try:
        if send(found, number, having_open=lock_file(home)):
            return
    except PermissionError:
        raise HermesError(
            f"The gateway ({found.described()}) belongs to another user",
            hint="Stop it as that user, or as root.",
        ) from None
    if holder(home) is None:
        return
    raise HermesError(
        f"The gateway ({found.described()}) cannot be reached from here",
        hint="Stop it where it runs: in its container, or on its machine.",
    )


def _wait(home: Path, found: Holder, say: Say) -> None:
    say(f"Waiting for the gateway ({found.described()}) to finish its turns …")
    began = told = time.monotonic()
    while holder(home) is not None:
        now = time.monotonic()
        if now - began > STOP_SECONDS:
            raise HermesError(
                f"The gateway ({found.described()}) has not ended in {STOP_SECONDS:.0f} s",
                hint="It goes on ending; look at: hermes logs",
            )
        if now - told >= NEWS_SECONDS:
            told = now
            say(f"  {now - began:.0f} s …")
        time.sleep(LOOK_SECONDS)
