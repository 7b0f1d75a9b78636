"""`hermes mcp serve`: this agent as an MCP server."""

import asyncio

import click

from hermes_agent.config.load import load


@click.command("serve")
def serve_command() -> None:
    """Be an MCP server on standard input and output.

    Other programs can look into the conversations of this home and ask the agent. Nobody can be
    asked back: what would need approval is denied.
    """
    from hermes_agent.bridges.mcp.opening import require_library
    from hermes_agent.cli.errorlog import log_errors
    from hermes_agent.config import home
    from hermes_agent.runtime.serving import serve
    from hermes_agent.runtime.workplace import Premises

    require_library()
    loaded = load()
    home.prepare(loaded.paths, loaded.managed)
    log_errors(loaded.paths.logs_dir / "errors.log", Premises(loaded).blank_secrets)
    asyncio.run(serve(loaded))
