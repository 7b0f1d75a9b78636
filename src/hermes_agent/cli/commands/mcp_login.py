"""`hermes mcp login` and `logout`: servers with `auth: oauth`."""

import asyncio
import os
import sys

import click

from hermes_agent.cli.commands.mcp_known import NAME, known
from hermes_agent.config.load import load
from hermes_agent.domain.errors import UsageError


@click.command("login")
@NAME
@click.option("--no-browser", is_flag=True, help="Only show the address.")
def login_command(name: str, no_browser: bool) -> None:
    """Log in at a server, in a browser.

    Where that is on another machine, its last page cannot be shown: paste its address here.
    """
    from hermes_agent.bridges.mcp.login import sign_in
    from hermes_agent.bridges.mcp.opening import require_library
    from hermes_agent.cli.errorlog import log_errors
    from hermes_agent.runtime.servers import tokens_of
    from hermes_agent.runtime.workplace import Premises

    loaded = load()
    server = known(loaded, name)
    if not server.url or server.auth != "oauth":
        raise UsageError(
            f"The MCP server {name} needs no login.",
            hint=f"Servers that do have an address and auth: oauth (mcp_servers.{name}.auth).",
        )
    require_library()
    log_errors(loaded.paths.logs_dir / "errors.log", Premises(loaded).blank_secrets)
    opens = not no_browser and _has_browser()

    def show(address: str) -> None:
        click.echo(f"Log in here:\n\n  {address}\n")
        if opens:
            import webbrowser

            webbrowser.open(address)
        click.echo("Waiting. If the browser is on another machine, paste its last address here.")

    files = tokens_of(loaded.paths, name, server)
    offer = asyncio.run(sign_in(name, server, files, show=show, paste=_line))
    click.echo(f"{name}: logged in, {len(offer.tools)} tools.")


@click.command("logout")
@NAME
def logout_command(name: str) -> None:
    """Forget the login at a server."""
    from hermes_agent.runtime.servers import tokens_of

    loaded = load()
    server = known(loaded, name)
    if tokens_of(loaded.paths, name, server).forget():
        click.echo(f"{name}: logged out. The server itself was not told.")
    else:
        click.echo(f"{name}: there was no login.")


def _has_browser() -> bool:
    if sys.platform == "darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


async def _line() -> str:
    """A line of standard input; "" at its end. A thread waits for it, which ends with us."""
    import threading

    loop = asyncio.get_running_loop()
    found: asyncio.Future[str] = loop.create_future()

    def settle(text: str) -> None:
        if not found.done():
            found.set_result(text)

    def read() -> None:
        data = b""
        try:
            # Not sys.stdin: its lock would be held when the program ends.
            while not data.endswith(b"\n") and (piece := os.read(0, 4096)):
                data += piece
        except OSError:
            pass
        try:
            loop.call_soon_threadsafe(settle, data.decode("utf-8", "replace"))
        except RuntimeError:
            return  # nobody waits any more

    threading.Thread(target=read, daemon=True, name="login line").start()
    return await found
