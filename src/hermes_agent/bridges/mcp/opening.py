"""How a server is reached: as a program, or at an address."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from hermes_agent.bridges.mcp.hearing import hearer
from hermes_agent.bridges.mcp.link import Connect, Signals
from hermes_agent.config.schema.execution import McpServer
from hermes_agent.domain.errors import EnvironmentFault
from hermes_agent.version import VERSION

if TYPE_CHECKING:
    import httpx2
    from mcp import Client
    from mcp.client._transport import Transport
    from mcp.client.session import SamplingFnT

    from hermes_agent.bridges.mcp.stdio import Program

Launch = Callable[[Sequence[str], Mapping[str, str]], "Program"]
"""The command line and extra variables of a server to how it is really started."""
Auth = Callable[[Signals], "httpx2.Auth"]
"""What signs the requests of one connection."""


def opener(
    server: McpServer,
    launch: Launch,
    *,
    auth: Auth | None = None,
    sampling: "SamplingFnT | None" = None,
) -> Connect:
    """What opens a connection to this server. Raises `EnvironmentFault` when it is used."""

    @asynccontextmanager
    async def connect(signals: Signals) -> AsyncGenerator["Client"]:
        require_library()
        async with AsyncExitStack() as stack:
            if server.command:
                from hermes_agent.bridges.mcp.stdio import started

                program = launch((server.command, *server.args), server.env)
                enter = _session(started(program, signals.end), server, signals, sampling)
                yield await stack.enter_async_context(enter)
                return
            yield await _at_address(stack, server, signals, auth, sampling)

    return connect


def require_library() -> None:
    """Raises `EnvironmentFault` where the protocol's library is not installed."""
    try:
        import mcp
    except ImportError as error:
        raise EnvironmentFault(
            "The packages for MCP servers are not installed",
            hint="Install the extra: hermes-agent[mcp]",
        ) from error
    assert mcp


async def _at_address(
    stack: AsyncExitStack,
    server: McpServer,
    signals: Signals,
    auth: Auth | None,
    sampling: "SamplingFnT | None",
) -> "Client":
    """Streamable HTTP; where that is refused, the transport of 2024, as the specification has it
    (2025-11-25, transports, "Backwards Compatibility"). Addresses that end with /sse are asked in
    the old way at once."""
    import httpx2

    from hermes_agent.bridges.mcp.address import Door, sse, streamable

    signer = auth(signals) if auth is not None else None
    door = Door(signals, signed=signer is not None)
    if not httpx2.URL(server.url).path.endswith("/sse"):
        transport = streamable(server, signer, door, signals)
        try:
            return await stack.enter_async_context(_session(transport, server, signals, sampling))
        except Exception:  # whatever the library makes of a refusal, in groups or not
            if not door.turned_away:
                raise
    transport = sse(server, signer, door, signals)
    return await stack.enter_async_context(_session(transport, server, signals, sampling))


@asynccontextmanager
async def _session(
    transport: "Transport",
    server: McpServer,
    signals: Signals,
    sampling: "SamplingFnT | None",
) -> AsyncGenerator["Client"]:
    from mcp import Client
    from mcp_types import Implementation

    async with Client(
        transport,
        message_handler=hearer(signals),
        read_timeout_seconds=server.timeout,
        sampling_callback=sampling,
        client_info=Implementation(name="hermes-agent", version=VERSION),
    ) as client:
        yield client
