"""An IRC server with accounts, as far as a login needs one: CAP, SASL PLAIN and tagged messages.

ngIRCd has none of them. https://ircv3.net/specs/extensions/sasl-3.1, account-tag, message-ids
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

from hermes_agent.platforms.irc_wire import parse


class AccountServer:
    """`offers` are the lines of its CAP LS; None is a server that knows no CAP. `refuses` makes it
    say no to every CAP REQ. `lines` is all that it heard, `ended` tells when somebody left."""

    def __init__(self, offers: Sequence[str] | None, *, password: str, refuses: bool) -> None:
        self.lines: list[str] = []
        self.logins: list[str] = []
        self.ended = asyncio.Event()
        self._offers = offers
        self._password = password
        self._refuses = refuses
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0

    async def tell(self, line: str) -> None:
        """Send this line to everybody."""
        for writer in self._writers:
            writer.write(line.encode() + b"\r\n")
            await writer.drain()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with suppress(OSError):
            while raw := await reader.readline():
                self.lines.append(raw.decode().rstrip("\r\n"))
                line = parse(raw)
                if line is not None:
                    await self._answer(line.command, line.words)
        self._writers.remove(writer)
        writer.close()
        self.ended.set()

    async def _answer(self, command: str, words: tuple[str, ...]) -> None:
        match (command, *words):
            case ("CAP", "LS", *_) if self._offers is not None:
                *some, final = self._offers
                for each in some:
                    await self.tell(f":irc.test CAP * LS * :{each}")
                await self.tell(f":irc.test CAP * LS :{final}")
            case ("CAP", "REQ", wanted):
                verb = "NAK" if self._refuses else "ACK"
                await self.tell(f":irc.test CAP * {verb} :{wanted}")
            case ("AUTHENTICATE", "PLAIN"):
                await self.tell("AUTHENTICATE +")
            case ("AUTHENTICATE", data):
                _, user, password = base64.b64decode(data).decode().split("\0")
                self.logins.append(user)
                right = password == self._password
                await self.tell(f":irc.test {'903' if right else '904'} * :SASL")
            case ("CAP", "END"):
                await self._welcome()
            case ("USER", *_) if self._offers is None:
                await self.tell(":irc.test 421 * CAP :Unknown command")
                await self._welcome()
            case _:
                pass

    async def _welcome(self) -> None:
        await self.tell(":irc.test 001 hermes :Welcome")


@asynccontextmanager
async def account_server(
    *offers: str, password: str = "right", refuses: bool = False, cap: bool = True
) -> AsyncGenerator[AccountServer]:
    """On loopback, until the block ends."""
    made = AccountServer(offers if cap else None, password=password, refuses=refuses)
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        await listening.wait_closed()
