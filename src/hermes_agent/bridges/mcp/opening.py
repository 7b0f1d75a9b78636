"""How a server is reached: as a program, or at an address."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hermes_agent.bridges.mcp.link import Connect, Signals
from hermes_agent.config.schema.execution import McpServer
from hermes_agent.domain.errors import EnvironmentFault

if TYPE_CHECKING:
    from mcp import Client
    from mcp.client._transport import TransportStreams

    from hermes_agent.bridges.mcp.stdio import Program


def opener(
    server: McpServer, launch: "Callable[[Sequence[str], Mapping[str, str]], Program]"
) -> Connect:
    """What opens a connection to this server. Raises `EnvironmentFault` when it is used."""

    @asynccontextmanager
    async def connect(signals: Signals) -> AsyncGenerator["Client"]:
        try:
            from mcp import Client
            from mcp_types import ToolListChangedNotification
        except ImportError as error:
            raise EnvironmentFault(
                "The packages for MCP servers are not installed",
                hint="Install the extra: hermes-agent[mcp]",
            ) from error

        async def heard(message: object) -> None:
            if isinstance(message, ToolListChangedNotification):
                signals.changed.set()

        transport = _program(server, launch, signals) if server.command else _address(server)
        async with Client(
            transport, message_handler=heard, read_timeout_seconds=server.timeout
        ) as client:
            yield client

    return connect


@asynccontextmanager
async def _program(
    server: McpServer,
    launch: "Callable[[Sequence[str], Mapping[str, str]], Program]",
    signals: Signals,
) -> AsyncGenerator["TransportStreams"]:
    from hermes_agent.bridges.mcp.stdio import started

    program = launch((server.command, *server.args), server.env)
    async with started(program, signals.ended.set) as (streams, _):
        yield streams


@asynccontextmanager
async def _address(server: McpServer) -> AsyncGenerator["TransportStreams"]:
    """Streamable HTTP; addresses that end with /sse speak the older transport of 2024."""
    import httpx2

    if httpx2.URL(server.url).path.endswith("/sse"):
        from mcp.client.sse import sse_client

        async with sse_client(server.url, headers=dict(server.headers)) as streams:
            yield streams
        return
    from mcp.client.streamable_http import streamable_http_client

    # A tool may take its time between two pieces of an answer; the call's own limit ends it.
    limits = httpx2.Timeout(server.connect_timeout, read=server.timeout)
    async with (
        httpx2.AsyncClient(headers=dict(server.headers), timeout=limits) as client,
        streamable_http_client(server.url, http_client=client) as streams,
    ):
        yield streams
