"""`hermes deploy remove`."""

import click


@click.command("remove")
@click.argument("name", default="hermes-agent")
@click.option("--purge", is_flag=True, help="Delete the state directory too, with all it holds.")
@click.option("--user", "own", is_flag=True, help="A deployment of your own (scope: user).")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before the state is deleted.")
def command(name: str, purge: bool, own: bool, yes: bool) -> None:
    """Stop the deployment NAME and take it off this machine; its state stays."""
    import os

    from hermes_agent.deploy.applying.remove import installed, remove
    from hermes_agent.deploy.places import Places, Roots
    from hermes_agent.domain.errors import HermesError

    if not own and os.geteuid() != 0:
        raise HermesError(
            "Only root can change services of the machine",
            hint="Use sudo; for a deployment of your own, add --user.",
        )
    places = Places(Roots.of_user() if own else Roots(), name)
    spec = installed(name, places)
    if purge and not yes:
        click.confirm(f"Delete {spec.state_dir} with all it holds?", abort=True)
    remove(spec, places, purge=purge, say=click.echo)
