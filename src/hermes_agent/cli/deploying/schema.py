"""`hermes deploy schema`."""

import click


@click.command("schema")
def command() -> None:
    """Print the JSON schema of a specification."""
    import msgspec

    from hermes_agent.deploy.spec import Specification

    text = msgspec.json.encode(msgspec.json.schema(Specification), order="sorted")
    click.echo(msgspec.json.format(text, indent=2).decode())
