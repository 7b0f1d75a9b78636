"""One server: a task of its own connects, keeps the connection, and makes it anew when it breaks.

Everything that the library does for a connection happens in that one task, because its scopes may
not be left from another.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Literal, cast

from hermes_agent.domain.errors import EnvironmentFault, HermesError

if TYPE_CHECKING:
    from mcp import Client
    from mcp_types import CallToolResult, Tool

State = Literal["connecting", "connected", "waiting", "closed"]


class Signals:
    """What a connection tells: the server's list of tools has changed; the server is gone."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.ended = asyncio.Event()


Connect = Callable[[Signals], AbstractAsyncContextManager["Client"]]
"""Opens a connection."""

PATIENCE = 10.0
"""How long a call waits for a server that is on its way back."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 300.0
_MOST_TOOLS = 2000
_log = logging.getLogger(__name__)


class Link:
    """The connection to the server called `name`. Times in seconds."""

    def __init__(
        self, name: str, connect: Connect, *, connect_timeout: float, timeout: float
    ) -> None:
        self.name = name
        self.problem = ""
        self.state: State = "connecting"
        self.tools: Sequence[Tool] = ()
        self._connect = connect
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        self._client: Client | None = None
        self._settled = asyncio.Event()
        self._broken = asyncio.Event()
        self._up = asyncio.Event()
        self._task = asyncio.create_task(self._keep(), name=f"mcp {name}")

    async def settled(self) -> None:
        """Until the first attempt has ended, well or not."""
        await self._settled.wait()

    async def call(self, tool: str, arguments: dict[str, Any]) -> "CallToolResult":
        """Run a tool. Raises `EnvironmentFault`."""
        from mcp.shared.exceptions import MCPError

        if self._client is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._up.wait(), PATIENCE)
        if self._client is None:
            raise self._gone()
        calling = asyncio.create_task(self._client.call_tool(tool, arguments))
        breaking = asyncio.create_task(self._broken.wait())
        try:
            done, _ = await asyncio.wait(
                (calling, breaking),
                timeout=self._timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if calling in done:
                return calling.result()
            if breaking in done:
                raise self._gone()
            raise EnvironmentFault(
                f"The MCP server {self.name} gave no answer within {self._timeout:g} seconds.",
                hint=f"mcp_servers.{self.name}.timeout is the limit.",
            )
        except MCPError as error:
            raise EnvironmentFault(f"The MCP server {self.name} refused: {error}") from error
        finally:
            calling.cancel()
            breaking.cancel()

    async def close(self) -> None:
        """Disconnect; a program has ended when this returns."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.state = "closed"

    def _gone(self) -> EnvironmentFault:
        why = f": {self.problem}" if self.problem else ""
        return EnvironmentFault(
            f"The MCP server {self.name} is not there{why}.",
            hint="It is tried again by itself.",
        )

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            started = asyncio.get_running_loop().time()
            try:
                await self._live()
            except Exception as error:  # noqa: BLE001  the task's root: it must not end the agent
                self.problem = _reason(error)
                _log.warning("MCP server %s: %s", self.name, self.problem)
            self._client = None
            self._up.clear()
            self.state = "waiting"
            self._broken.set()
            self._settled.set()
            if asyncio.get_running_loop().time() - started > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _live(self) -> None:
        """One connection, until it breaks."""
        self.state = "connecting"
        signals = Signals()
        async with asyncio.timeout(self._connect_timeout) as limit:
            async with self._connect(signals) as client:
                self.tools = await _all_tools(client)
                limit.reschedule(None)
                self._broken.clear()
                self._client = client
                self._up.set()
                self.state = "connected"
                self.problem = ""
                self._settled.set()
                await self._watch(client, signals)

    async def _watch(self, client: "Client", signals: Signals) -> None:
        ending = asyncio.create_task(signals.ended.wait())
        try:
            while True:
                changing = asyncio.create_task(signals.changed.wait())
                await asyncio.wait((ending, changing), return_when=asyncio.FIRST_COMPLETED)
                changing.cancel()
                if signals.ended.is_set():
                    raise EnvironmentFault("it has ended")
                signals.changed.clear()
                async with asyncio.timeout(self._connect_timeout):
                    self.tools = await _all_tools(client)
        finally:
            ending.cancel()


async def _all_tools(client: "Client") -> "Sequence[Tool]":
    tools: list[Tool] = []
    cursor: str | None = None
    while len(tools) < _MOST_TOOLS:
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    return tools[:_MOST_TOOLS]


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        inner = cast("tuple[BaseException, ...]", error.exceptions)
        error = inner[0]
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, HermesError):
        return error.message
    return f"{type(error).__name__}: {error}"[:300]
