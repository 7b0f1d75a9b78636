"""Where a program's calls of tools arrive: a socket of its own, one call a connection."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from hermes_agent.tools.contract import InnerTools

_LONGEST = 16_000_000
_MOST_CONNECTIONS = 64
_CREDENTIALS = struct.Struct("3i")  # unix(7): pid, uid, gid


class _Asked(msgspec.Struct, frozen=True):
    name: str
    arguments: dict[str, Any] = {}


class Desk:
    """Takes the calls of one program, one after another, at most `most`.

    `path` is the socket, in a directory of mode 0700; who is not this user is not heard. `show`
    gets a line for each call.
    """

    def __init__(
        self, path: Path, inner: InnerTools, *, most: int, show: Callable[[str], None]
    ) -> None:
        self.made = 0
        self._path = path
        self._inner = inner
        self._most = most
        self._show = show
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen from here on. Raises `OSError`."""
        self._server = await asyncio.start_unix_server(
            self._attend, path=str(self._path), limit=_LONGEST
        )

    async def close(self) -> None:
        """Take no more calls, and end the one that is on its way."""
        if self._server is not None:
            self._server.close()
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._tasks) >= _MOST_CONNECTIONS or not _is_ours(writer):
            writer.close()
            return
        self._tasks.add(task)
        try:
            writer.write(msgspec.json.encode(await self._answered(reader)))
            await writer.drain()
        except (asyncio.CancelledError, OSError):
            pass  # the program is over, or has hung up
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answered(self, reader: asyncio.StreamReader) -> dict[str, Any]:
        try:
            asked = msgspec.json.decode(await reader.readline(), type=_Asked)
        except ValueError as error:  # of msgspec, and of the reader for a line too long
            return {"refused": f"This call cannot be read: {error}"}
        async with self._turn:
            if self.made >= self._most:
                return {"refused": f"The limit of {self._most} tool calls is reached."}
            self.made += 1
            call = self._inner.prepare(self.made, asked.name, asked.arguments)
            self._show(f"→ {self._inner.summary(call)}\n")
            result = await self._inner.run(call)
        try:
            return {"result": msgspec.json.decode(result.content)}
        except ValueError:
            return {"result": result.content}


def _is_ours(writer: asyncio.StreamWriter) -> bool:
    peer: socket.socket = writer.get_extra_info("socket")
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the directory keeps others out
    told = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return _CREDENTIALS.unpack(told)[1] == os.geteuid()
