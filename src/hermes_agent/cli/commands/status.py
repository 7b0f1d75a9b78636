"""`hermes status`: what is configured, at a glance."""

from typing import TYPE_CHECKING, Any

import click

from hermes_agent.version import VERSION

if TYPE_CHECKING:
    from hermes_agent.config.load import Loaded


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--deep", is_flag=True, help="Ask the model server too.")
def command(as_json: bool, deep: bool) -> None:
    """What is configured and whether it works."""
    facts = _facts(deep=deep)
    if as_json:
        import json

        click.echo(json.dumps(facts, indent=2))
        return
    for section, rows in facts.items():
        click.echo(section.replace("_", " ").capitalize())
        for name, value in rows.items():
            click.echo(f"  {name:<12} {value}")


def _facts(*, deep: bool) -> dict[str, dict[str, Any]]:
    from hermes_agent.cli.checks.logins import logins
    from hermes_agent.cli.checks.machine import gate
    from hermes_agent.cli.checks.model import model
    from hermes_agent.config import report
    from hermes_agent.config.load import load
    from hermes_agent.store.opening import open_existing_store

    loaded = load()
    store = open_existing_store(loaded.paths.home)
    stats = store.stats() if store else None
    if store:
        store.close()
    findings = list(model(loaded, offline=not deep))
    keys = {name: masked for name, (masked, _) in report.variables(loaded).items()}
    return {
        "environment": {
            "version": VERSION,
            "home": str(loaded.paths.home),
            "managed by": loaded.managed.described() if loaded.managed else "nobody",
            "warnings": len(loaded.warnings),
        },
        "model": {
            "uses" if number == 0 else f"also {number}": finding.text
            for number, finding in enumerate(findings)
        },
        "keys": keys or {"none": "no keys in the environment or .env"},
        "logins": dict(finding.text.split(": ", 1) for finding in logins(loaded))
        or {"none": "auth.json has none"},
        "terminal": {
            "backend": loaded.config.terminal.backend,
            "approvals": loaded.config.approvals.mode,
            "gate": gate(loaded).text,
            **_place(loaded, deep=deep),
        },
        "gateway": _gateway(loaded),
        "sessions": {
            "count": stats.sessions if stats else 0,
            "messages": stats.messages if stats else 0,
        },
    }


def _place(loaded: "Loaded", *, deep: bool) -> dict[str, str]:
    """Whether the engine or machine answers. Another machine is asked only when told to."""
    from hermes_agent.runtime.backend import CONTAINERS, backend_of, reachable

    if not deep and backend_of(loaded) not in CONTAINERS:
        return {}
    found = reachable(loaded)
    return {} if found is None else {"place": found[1]}


def _gateway(loaded: "Loaded") -> dict[str, Any]:
    """The daemon, its platforms and what waits in it."""
    from hermes_agent.gateway.lock import LockUnusable, holder
    from hermes_agent.gateway.platform_settings import api_enabled, enabled
    from hermes_agent.gateway.state import read_status

    try:
        found = holder(loaded.paths.home)
    except LockUnusable as error:
        return {"daemon": error.message}
    status = read_status(loaded.paths.home) if found else None
    known = {name: each.state for name, each in status.platforms.items()} if status else {}
    on = {each.name: known.get(each.name, "configured") for each in enabled(loaded)}
    if api_enabled(loaded):
        on["api_server"] = "on"
    return {"daemon": f"running ({found.described()})" if found else "not running", **on}
