"""How the gateway of a home is: the facts behind `hermes gateway status`."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from hermes_agent.cli.service.control import supervising_unit
from hermes_agent.cli.service.installing import outdated
from hermes_agent.cli.service.which import config_home, installed_service
from hermes_agent.config.paths import hermes_home
from hermes_agent.deploy.units.service import Service
from hermes_agent.deploy.units.systemctl import NoSystemd, Systemd
from hermes_agent.domain.errors import StoreError
from hermes_agent.gateway.lock import holder
from hermes_agent.gateway.state import read_status


def facts(*, system: bool, deep: bool, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """JSON-ready: `running` and `holder` by the lock, `state` and `platforms` by what the gateway
    wrote last, `service` by systemd, `queue` by the ledger. Unknown is None."""
    service = installed_service(system=system, environ=environ)
    home = service.hermes_home if service else hermes_home(environ)
    found = holder(home)
    status = read_status(home)
    return {
        "running": found is not None,
        "home": str(home),
        "holder": None
        if found is None
        else {
            **msgspec.to_builtins(found),
            "here": found.here,
            "since": _time(found.since),
            "described": found.described(),
        },
        # Who was killed could not write that it ended.
        "state": (status.gateway_state if status else None) if found else "stopped",
        "exit_reason": status.exit_reason if status and not found else None,
        "platforms": msgspec.to_builtins(status.platforms) if status and found else {},
        "service": _service(service, deep=deep, environ=environ)
        if service
        else _foreign(found.pid if found and found.here else 0),
        "queue": _queue(home),
    }


def _service(service: Service, *, deep: bool, environ: Mapping[str, str]) -> dict[str, Any]:
    known: dict[str, Any] = {
        "name": service.name,
        "system": service.system,
        "file": str(service.unit_file(config_home(environ))),
        "active": None,
    }
    try:
        systemd = Systemd(system=service.system, environ=environ)
    except NoSystemd:
        return known
    shown = systemd.show(service.name)
    known |= {
        "active": shown.get("ActiveState"),
        "sub": shown.get("SubState"),
        "enabled": shown.get("UnitFileState"),
        "result": shown.get("Result"),
        "exit_status": int(shown.get("ExecMainStatus") or 0),
        "restarts": int(shown.get("NRestarts") or 0),
        "status": shown.get("StatusText"),
    }
    if deep:
        lingers = service.system or systemd.lingers(service.account.name)
        known |= {
            "starts_with_machine": lingers and shown.get("UnitFileState") == "enabled",
            "outdated": outdated(service, systemd, environ),
        }
    return known


def _foreign(pid: int) -> dict[str, Any] | None:
    unit = supervising_unit(pid) if pid else None
    return None if unit is None else {"name": unit[0], "system": unit[1], "active": "active"}


def _queue(home: Path) -> dict[str, Any] | None:
    if not (home / "state.db").exists():
        return None
    if os.geteuid() == 0 and home.stat().st_uid != 0:
        # What stands there is the agent's: root opens no database of its making.
        return {"error": f"ask as the user {home.owner()}"}
    from hermes_agent.ledger.opening import open_ledger

    try:
        ledger = open_ledger(home)
        try:
            return msgspec.to_builtins(ledger.counts())
        finally:
            ledger.close()
    except StoreError as error:
        return {"error": error.message}


def _time(at: float) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") if at else None
