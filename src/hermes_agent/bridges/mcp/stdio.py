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
from hermes_agent.environments import tree
from hermes_agent.environments.tree import MARKER

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

MOST_BYTES = 16 * 1024 * 1024
"""Longest message of a server. A longer one ends the connection."""
_GRACE_SECONDS = 2.0
_LAST_BREATH = 0.2
_LAST_WORDS = 2000
_LAST_LINE = 200


def _nothing() -> None: ...


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """How the server is started: its whole command line, folder and variables. `ended` is called
    when it has ended with all that it started."""

    argv: Sequence[str]
    cwd: str
    variables: Mapping[str, str]
    ended: Callable[[], None] = _nothing


class _Pipes(asyncio.subprocess.SubprocessStreamProtocol):
    """Knows when the program itself has ended: what it started may hold its output open."""

    def __init__(self) -> None:
        super().__init__(limit=MOST_BYTES, loop=asyncio.get_running_loop())
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.exited.set()


class Running:
    """A started server. `words` is the end of what it wrote to its standard error."""

    def __init__(
        self, transport: asyncio.SubprocessTransport, pipes: _Pipes, program: Program
    ) -> None:
        process = asyncio.subprocess.Process(transport, pipes, asyncio.get_running_loop())
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.input, self.output = process.stdin, process.stdout
        self.words = ""
        self._errors = process.stderr
        self._transport = transport
        self._pipes = pipes
        self._mark = program.variables.get(MARKER, "")
        self._ended = program.ended
        self._pid = process.pid
        self._listening = asyncio.create_task(self._listen())

    async def exited(self) -> None:
        """Until it has ended."""
        await self._pipes.exited.wait()

    @property
    def status(self) -> int | None:
        """Its exit status; negative for a signal."""
        return self._transport.get_returncode()

    async def _listen(self) -> None:
        while piece := await self._errors.read(4096):
            self.words = (self.words + piece.decode("utf-8", "replace"))[-_LAST_WORDS:]

    async def stop(self) -> None:
        """Close its input, wait a little, then end it with all that it started."""
        with contextlib.suppress(OSError):
            self.input.close()
        if not await self._ends():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGTERM)
            await self._ends()
        # Also where it is gone: its children may have stayed behind.
        await tree.end(self._pid, self._mark or str(self._pid))
        await self._ends()
        self._listening.cancel()
        self._transport.close()
        self._ended()

    async def _ends(self) -> bool:
        try:
            await asyncio.wait_for(self.exited(), _GRACE_SECONDS)
        except TimeoutError:
            return False
        return True


@asynccontextmanager
async def started(
    program: Program, ended: Callable[[str], None]
) -> AsyncGenerator["TransportStreams"]:
    """The streams of a started server; it has ended when this has. `ended` is told when it says
    nothing more, with its last words. Raises `EnvironmentFault`."""
    import anyio
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    running = await _start(program)
    received, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, to_send = anyio.create_memory_object_stream[SessionMessage](0)

    async def read() -> None:
        why = "it closed its output"
        async with received:
            try:
                while line := await running.output.readline():
                    try:
                        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                    except ValueError:
                        continue  # programs print what does not belong there
                    await received.send(SessionMessage(message))
            except ValueError:
                why = f"it sent a message of more than {MOST_BYTES} bytes"
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass  # nobody listens any more
            finally:
                ended(_ending(running, why))

    async def watch() -> None:
        await running.exited()
        # What it said last is read first.
        await asyncio.sleep(_LAST_BREATH)
        ended(_ending(running, "it has ended"))

    async def write() -> None:
        with contextlib.suppress(OSError, anyio.ClosedResourceError):
            async for each in to_send:
                text = each.message.model_dump_json(by_alias=True, exclude_unset=True)
                running.input.write(f"{text}\n".encode())
                await running.input.drain()

    async with anyio.create_task_group() as group:
        for each in (read, write, watch):
            group.start_soon(each)
        try:
            yield incoming, outgoing
        finally:
            with anyio.CancelScope(shield=True):
                await running.stop()
            group.cancel_scope.cancel()
            for stream in (incoming, outgoing, to_send):
                stream.close()


def _ending(running: Running, why: str) -> str:
    """In one sentence; the last line of what it wrote to its standard error is the best reason."""
    if running.status is not None:
        why = f"it has ended with status {running.status}"
    lines = [line.strip() for line in running.words.splitlines() if line.strip()]
    said = "".join(c for c in lines[-1] if c.isprintable())[:_LAST_LINE] if lines else ""
    return f"{why}: {said}" if said else why


async def _start(program: Program) -> Running:
    try:
        transport, pipes = await asyncio.get_running_loop().subprocess_exec(
            _Pipes,
            *program.argv,
            cwd=program.cwd,
            env=dict(program.variables),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise EnvironmentFault(
            f"{program.argv[0]} cannot be started: {reason}",
            hint="Is it installed, and on the agent's PATH?",
        ) from error
    return Running(transport, pipes, program)
