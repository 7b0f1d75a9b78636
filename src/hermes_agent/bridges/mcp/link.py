"""One server: a task of its own connects, keeps the connection, and makes it anew when it breaks.

Everything that the library does for a connection happens in that one task, because its scopes may
not be left from another.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from hermes_agent.bridges.mcp.offer import Offer, offer_of
from hermes_agent.domain.errors import EnvironmentFault, HermesError

if TYPE_CHECKING:
    from mcp import Client

State = Literal["connecting", "connected", "waiting", "closed"]
T = TypeVar("T")


class Signals:
    """What a connection tells: what the server offers has changed; the server is gone, and why."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.ended = asyncio.Event()
        self.why = ""
        self.verdict = ""
        """Why the server cannot be used, whatever else goes wrong because of that."""

    def refuse(self, verdict: str) -> None:
        """It cannot be used until somebody does something."""
        self.verdict = verdict
        self.end(verdict)

    def end(self, why: str) -> None:
        """The connection is of no use any more. The first reason counts."""
        if not self.ended.is_set():
            self.why = why
            self.ended.set()


Connect = Callable[[Signals], AbstractAsyncContextManager["Client"]]
"""Opens a connection."""

PATIENCE = 10.0
"""How long a call waits for a server that is on its way back."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 300.0
LOOK_PAUSE = 1.0
"""A server that says all the time that it has changed is asked this often."""
_log = logging.getLogger(__name__)


class Link:
    """The connection to the server called `name`. Times in seconds. `blank` takes out of a text
    what nobody may see."""

    def __init__(
        self,
        name: str,
        connect: Connect,
        *,
        connect_timeout: float,
        timeout: float,
        blank: Callable[[str], str] = str,
    ) -> None:
        self.name = name
        self.problem = ""
        self.state: State = "connecting"
        self.offer = Offer()
        self._connect = connect
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        self._blank = blank
        self._client: Client | None = None
        self._signals = Signals()
        self._untaken = False
        self._settled = asyncio.Event()
        self._broken = asyncio.Event()
        self._up = asyncio.Event()
        self._task = asyncio.create_task(self._keep(), name=f"mcp {name}")

    async def settled(self) -> None:
        """Until the first attempt has ended, well or not."""
        await self._settled.wait()

    async def request(self, ask: "Callable[[Client], Awaitable[T]]") -> T:
        """Ask the server for something. What it certainly did not get is asked once again when it
        is back. Raises `EnvironmentFault`."""
        for _ in range(2):
            client = await self._present()
            try:
                return await self._asked(client, ask)
            except _NotTaken:
                continue
        raise self._gone()

    async def _present(self) -> "Client":
        if self._client is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._up.wait(), PATIENCE)
        if self._client is None:
            raise self._gone()
        return self._client

    async def _asked(self, client: "Client", ask: "Callable[[Client], Awaitable[T]]") -> T:
        from mcp.shared.exceptions import MCPError
        from mcp_types import CONNECTION_CLOSED

        asking = asyncio.ensure_future(ask(client))
        breaking = asyncio.create_task(self._broken.wait())
        try:
            done, _ = await asyncio.wait(
                (asking, breaking),
                timeout=self._timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if asking in done:
                return asking.result()
            if breaking in done:
                if self._untaken:
                    raise _NotTaken
                raise self._gone()
            raise EnvironmentFault(
                f"The MCP server {self.name} gave no answer within {self._timeout:g} seconds.",
                hint=f"mcp_servers.{self.name}.timeout is the limit.",
            )
        except MCPError as error:
            if _session_is_over(error):
                self._lose("its session is over")
                raise _NotTaken from error
            if error.error.code == CONNECTION_CLOSED:
                self._lose("the connection was closed")
                raise self._gone() from error
            raise EnvironmentFault(
                self._blank(f"The MCP server {self.name} refused: {error}"[:1000])
            ) from error
        except (RuntimeError, ValueError, OSError, ExceptionGroup) as error:
            raise EnvironmentFault(
                self._blank(f"The MCP server {self.name} gave what is of no use: {error}"[:1000])
            ) from error
        finally:
            breaking.cancel()
            if not asking.done():
                asking.cancel()
            elif not asking.cancelled():
                asking.exception()  # looked at, so that nobody complains that it was not

    def _lose(self, why: str) -> None:
        self._client = None
        self._up.clear()
        self._signals.end(why)

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
                self.problem = self._blank(_reason(error, self._signals))
                self._untaken = _never_arrived(error)
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
        self._signals = signals = Signals()
        async with asyncio.timeout(self._connect_timeout) as limit:
            async with self._connect(signals) as client:
                self.offer = await _unless_ended(offer_of(client, self.name), signals)
                limit.reschedule(None)
                self._broken.clear()
                self._client = client
                self._up.set()
                self.state = "connected"
                self.problem = ""
                self._settled.set()
                await self._watch(client, signals)

    async def _watch(self, client: "Client", signals: Signals) -> None:
        from hermes_agent.bridges.mcp.hearing import heed

        ending = asyncio.create_task(signals.ended.wait())
        heeding = asyncio.create_task(heed(client, signals))
        try:
            while True:
                changing = asyncio.create_task(signals.changed.wait())
                await asyncio.wait((ending, changing), return_when=asyncio.FIRST_COMPLETED)
                changing.cancel()
                if signals.ended.is_set():
                    raise EnvironmentFault(signals.why)
                signals.changed.clear()
                async with asyncio.timeout(self._connect_timeout):
                    self.offer = await _unless_ended(offer_of(client, self.name), signals)
                await asyncio.wait((ending,), timeout=LOOK_PAUSE)
        finally:
            ending.cancel()
            heeding.cancel()
            await asyncio.gather(ending, heeding, return_exceptions=True)


class _NotTaken(Exception):
    """The server certainly never began with it."""


async def _unless_ended(doing: Awaitable[T], signals: Signals) -> T:
    """Its result. Raises `EnvironmentFault` when the connection ends before."""
    task = asyncio.ensure_future(doing)
    ending = asyncio.create_task(signals.ended.wait())
    try:
        await asyncio.wait((task, ending), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise EnvironmentFault(signals.why)
        return task.result()
    finally:
        ending.cancel()
        task.cancel()
        await asyncio.gather(ending, task, return_exceptions=True)


def _session_is_over(error: BaseException) -> bool:
    """A server that was started anew does not know the old session (404); what was asked in it
    was not done. Source: the specification 2025-11-25, transports, "Session Management"."""
    return str(error) == "Session terminated"


def _never_arrived(error: BaseException) -> bool:
    import sys

    http = sys.modules.get("httpx2")
    return http is not None and isinstance(first(error), http.ConnectError)


def first(error: BaseException) -> BaseException:
    """What is behind a group of errors."""
    while isinstance(error, BaseExceptionGroup):
        inner = cast("tuple[BaseException, ...]", error.exceptions)
        error = inner[0]
    return error


def _reason(error: BaseException, signals: Signals) -> str:
    from mcp.shared.exceptions import MCPError
    from mcp_types import CONNECTION_CLOSED

    error = first(error)
    if signals.verdict:
        return signals.verdict
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if _never_arrived(error):
        return f"it cannot be reached: {error}"[:300]
    if isinstance(error, HermesError):
        return f"{error.message}. {error.hint}" if error.hint else error.message
    if isinstance(error, MCPError):
        closed = error.error.code == CONNECTION_CLOSED
        return signals.why if closed and signals.why else f"it refused: {error}"[:300]
    return f"{type(error).__name__}: {error}"[:300]
