"""A server that is a program: messages are lines of JSON on its standard input and output.

Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports, "stdio".
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from hermes_agent.domain.errors import EnvironmentFault

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

MOST_BYTES = 16 * 1024 * 1024
"""Longest message of a server. A longer one ends the connection."""
_GRACE_SECONDS = 2.0
_LAST_WORDS = 2000


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """How the server is started: its whole command line, folder and variables."""

    argv: Sequence[str]
    cwd: str
    variables: Mapping[str, str]


class Running:
    """A started server. `words` is the end of what it wrote to its standard error."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.words = ""
        self._listening = asyncio.create_task(self._listen())

    @property
    def pid(self) -> int:
        """Its process, leader of a group of its own."""
        return self._process.pid

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(4096):
            self.words = (self.words + piece.decode("utf-8", "replace"))[-_LAST_WORDS:]

    async def stop(self) -> None:
        """Close its input, wait a little, then end it with all that it started."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, number)
            try:
                await asyncio.wait_for(self._process.wait(), _GRACE_SECONDS)
                break
            except TimeoutError:
                continue
        # Its children may have stayed behind.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._listening.cancel()


@asynccontextmanager
async def started(
    program: Program, ended: Callable[[], None]
) -> AsyncGenerator[tuple["TransportStreams", Running]]:
    """The streams of a started server; it has ended when this has. `ended` is called when it says
    nothing more. Raises `EnvironmentFault`."""
    import anyio
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    process = await _start(program)
    running = Running(process)
    received, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, to_send = anyio.create_memory_object_stream[SessionMessage](0)

    async def read() -> None:
        assert process.stdout is not None
        async with received:
            try:
                while line := await process.stdout.readline():
                    try:
                        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                    except ValueError:
                        continue  # programs print what does not belong there
                    await received.send(SessionMessage(message))
            except (ValueError, anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass  # a line that is too long, or nobody listens any more
            finally:
                ended()

    async def write() -> None:
        assert process.stdin is not None
        with contextlib.suppress(OSError, anyio.ClosedResourceError):
            async for each in to_send:
                text = each.message.model_dump_json(by_alias=True, exclude_unset=True)
                process.stdin.write(f"{text}\n".encode())
                await process.stdin.drain()

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        group.start_soon(write)
        try:
            yield (incoming, outgoing), running
        finally:
            with anyio.CancelScope(shield=True):
                await running.stop()
            group.cancel_scope.cancel()
            for stream in (incoming, outgoing, to_send):
                stream.close()


async def _start(program: Program) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *program.argv,
            cwd=program.cwd,
            env=dict(program.variables),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=MOST_BYTES,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise EnvironmentFault(
            f"{program.argv[0]} cannot be started: {reason}",
            hint="Is it installed, and on the agent's PATH?",
        ) from error
