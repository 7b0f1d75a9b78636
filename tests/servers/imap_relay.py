"""Dovecot's own words over IMAP, some of them changed: servers differ where RFC 3501 lets them."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def imap_relay(
    port: int, authority: str, change: Callable[[bytes], bytes]
) -> AsyncGenerator[int]:
    """A port on loopback without TLS that passes everything on to the TLS port `port`. `change`
    is given each line of the server's answers and says what the client hears instead."""
    context = ssl.create_default_context(cafile=authority)
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        ways = asyncio.gather(_pass(reader, onward, bytes), _pass(there, writer, change))
        try:
            with suppress(OSError):
                await ways
        finally:
            ways.cancel()
            onward.transport.abort()
            writer.transport.abort()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        ending = list(running)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Callable[[bytes], bytes]
) -> None:
    while line := await reader.readline():
        writer.write(change(line))
        await writer.drain()
    writer.close()
