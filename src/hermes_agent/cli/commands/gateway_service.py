"""`hermes gateway install|uninstall|start|stop|restart|status`: the gateway as a service."""

from typing import Any

import click

_SYSTEM = click.option("--system", is_flag=True, help="The machine's service, not this user's.")


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.command()
@click.option("--force", is_flag=True, help="Replace a unit that is there for something else.")
@_SYSTEM
@click.option("--run-as-user", metavar="USER", help="With --system: who it runs as.")
def install(force: bool, system: bool, run_as_user: str | None) -> None:
    """Install the service, start it now and with the machine.

    A service of this user needs no root. One of the machine (--system) is confined: it may write
    to its user's home directory and to nothing else.
    """
    from hermes_agent.cli.service import installing, which
    from hermes_agent.domain.errors import UsageError

    if run_as_user and not system:
        raise UsageError("--run-as-user is for --system: another service runs as yourself")
    if system:
        service = which.system_service(run_as_user or which.own_account().name)
        if service.account.name == "root" and run_as_user != "root":
            raise UsageError(
                "As which user shall it run?",
                hint="Name one with --run-as-user; root itself only if you really mean it.",
            )
    else:
        service = which.user_service()
    installing.install(service, force=force, say=_say)


@click.command()
@_SYSTEM
def uninstall(system: bool) -> None:
    """Stop and remove the service. Conversations and settings stay."""
    from hermes_agent.cli.service import installing, which

    service = which.system_service() if system else which.user_service()
    installing.uninstall(service, say=_say)


@click.command()
@_SYSTEM
def start(system: bool) -> None:
    """Start the installed service."""
    from hermes_agent.cli.service import control

    control.start(system=system, say=_say)


@click.command()
@_SYSTEM
def stop(system: bool) -> None:
    """Stop the gateway of this home.

    Answers that are being written are finished first.
    """
    from hermes_agent.cli.service import control

    control.stop(system=system, say=_say)


@click.command()
@_SYSTEM
def restart(system: bool) -> None:
    """Restart the service.

    Answers that are being written are finished first.
    """
    from hermes_agent.cli.service import control

    control.restart(system=system, say=_say)


@click.command(epilog="Exit status: 0 it runs, 3 it does not.")
@click.option("--deep", is_flag=True, help="Look at the service's set-up too.")
@_SYSTEM
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def status(ctx: click.Context, deep: bool, system: bool, as_json: bool) -> None:
    """Whether the gateway of this home runs, and how it is."""
    from hermes_agent.cli.service.state import facts

    found = facts(system=system, deep=deep)
    if as_json:
        import json

        click.echo(json.dumps(found, indent=2))
    else:
        for name, value in _rows(found):
            click.echo(f"{name:<10} {value}")
    ctx.exit(0 if found["running"] else 3)


def _rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    from hermes_agent.cli.terminal.safe import one_line

    rows = [("Gateway", _gateway(found)), ("Home", found["home"])]
    if found["service"]:
        rows.append(("Service", _service(found["service"])))
        rows += [("", text) for text in _advice(found["service"])]
    for name, platform in found["platforms"].items():
        message = f": {platform['error_message']}" if platform["error_message"] else ""
        rows.append((name, platform["state"] + message))
    if found["queue"]:
        rows.append(("Queue", _queue(found["queue"])))
    return [(one_line(name), one_line(value)) for name, value in rows]


def _gateway(found: dict[str, Any]) -> str:
    if not found["running"]:
        return f"stopped ({found['exit_reason']})" if found["exit_reason"] else "stopped"
    holder = found["holder"]
    since = f", since {holder['since']}" if holder["since"] else ""
    return f"{found['state'] or 'running'} ({holder['described']}{since})"


def _service(service: dict[str, Any]) -> str:
    parts = [f"{service['name']} ({'system' if service['system'] else 'user'})"]
    if service["active"]:
        sub = f" ({service['sub']})" if service.get("sub") else ""
        parts.append(service["active"] + sub)
    if service.get("enabled"):
        parts.append(service["enabled"])
    if service.get("restarts"):
        parts.append(f"restarted {service['restarts']} times")
    return ", ".join(parts)


def _advice(service: dict[str, Any]) -> list[str]:
    advice: list[str] = []
    if service.get("exit_status") == 78:
        advice.append("Its configuration cannot be used: see hermes doctor")
    if service.get("starts_with_machine") is False:
        advice.append("It does not start with the machine: run hermes gateway install again")
    if service.get("outdated"):
        advice.append("Its unit is out of date: run hermes gateway install again")
    return advice


def _queue(queue: dict[str, Any]) -> str:
    if "error" in queue:
        return f"unknown: {queue['error']}"
    inbox, outbox = queue["inbox"], queue["outbox"]
    dead = inbox.get("dead", 0) + outbox.get("dead", 0)
    sending = sum(outbox.get(state, 0) for state in ("open", "waiting", "sending"))
    return (
        f"{inbox.get('waiting', 0)} waiting, {inbox.get('working', 0)} being answered, "
        f"{sending} to send, {dead} given up"
    )
