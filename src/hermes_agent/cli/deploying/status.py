"""`hermes deploy status`."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hermes_agent.deploy.applying.status import Deployment


@click.command("status")
@click.argument("name", required=False)
@click.option("--user", "own", is_flag=True, help="Deployments of your own (scope: user).")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
@click.pass_context
def command(ctx: click.Context, name: str | None, own: bool, as_json: bool) -> None:
    """Say how the deployments of this machine are, or the one called NAME.

    Exit status: 0 they run, 3 one of them does not. More is known to root.
    """
    import os

    from hermes_agent.deploy.applying.status import deployments
    from hermes_agent.deploy.places import Roots
    from hermes_agent.domain.errors import NotFoundError

    roots = Roots.of_user() if own else Roots()
    found = deployments(roots, system=not own, environ=os.environ)
    if name is not None:
        found = [each for each in found if each.name == name]
        if not found:
            raise NotFoundError(f"There is no deployment {name} on this machine")
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(found).decode())
    elif not found:
        click.echo("Nothing is deployed here. Begin with: hermes deploy apply FILE")
    else:
        click.echo("\n\n".join("\n".join(_lines(each)) for each in found))
    ctx.exit(0 if all(each.active == "active" for each in found) else 3)


def _lines(each: "Deployment") -> list[str]:
    state = each.active or "unknown"
    if each.status:
        state += f" ({each.status})"
    if each.exit_status == 78:
        state += "; its configuration is wrong"
    lines = [
        f"{each.name}: {state}",
        f"  Unit:    {each.unit}{f', {each.enabled}' if each.enabled else ''}"
        f"{f', pid {each.pid}' if each.pid else ''}",
        f"  Mode:    {each.mode or 'unknown'}, managed by {each.manager or 'unknown'}"
        f"{f', as {each.user}' if each.user else ''}",
        f"  State:   {each.state_dir or 'unknown'}",
    ]
    if each.gate:
        lines.append(f"  Gate:    {each.gate}")
    if each.installed:
        lines.append(f"  Applied: {_applied(each)}")
    if each.fault:
        lines.append(f"  Fault:   {each.fault}")
    if each.active in ("activating", "failed"):
        scope = "" if each.scope == "system" else "--user "
        again = f", started again {each.restarts} times" if each.restarts else ""
        lines.append(f"  Why:     journalctl {scope}-u {each.unit} -n 20{again}")
    return lines


def _applied(each: "Deployment") -> str:
    if not each.applied:
        return "not yet; it is set up when it starts"
    if each.replaced:
        return f"{each.applied[:12]}; a restart is due: {each.package} was installed anew"
    if each.pending:
        return f"{each.applied[:12]}; a restart is due for {(each.installed or '')[:12]}"
    return each.applied[:12]
