"""A real IRC server: ngIRCd from Debian, on loopback, and a person's plain client."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from hermes_agent.platforms.irc_wire import Line, parse

PROGRAM = shutil.which("ngircd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
LIMIT = 20.0


class Ngircd:
    """Runs between `start` and `stop`, at the same address each time. With `certificate` and `key`
    (PEM files) it speaks TLS on `tls_port`."""

    def __init__(
        self, folder: Path, *, password: str = "", certificate: str = "", key: str = ""
    ) -> None:
        self.port, self.tls_port = _free_port(), _free_port()
        self.password = password
        self._file = folder / "ngircd.conf"
        tls = (
            f"[SSL]\nPorts = {self.tls_port}\nCertFile = {certificate}\nKeyFile = {key}\n"
            if certificate
            else ""
        )
        self._file.write_text(
            "[Global]\nName = irc.test\nInfo = test\nMotdPhrase = hello\n"
            f"Listen = 127.0.0.1\nPorts = {self.port}\n"
            + (f"Password = {password}\n" if password else "")
            + "[Limits]\nMaxConnectionsIP = 0\nMaxPenaltyTime = 0\n"
            "[Options]\nPAM = no\nDNS = no\nIdent = no\n" + tls
        )
        folder.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Begin, and wait until it listens."""
        assert PROGRAM is not None
        self._process = subprocess.Popen(  # noqa: ASYNC220  it returns at once
            [PROGRAM, "--nodaemon", "--config", str(self._file)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        async with asyncio.timeout(LIMIT):
            while not await _listens(self.port):  # noqa: ASYNC110  servers tell nobody
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait)


class IrcPerson:
    """Somebody on the server; `heard` has what was said to them or in their channels."""

    def __init__(self, server: Ngircd, nick: str) -> None:
        self.nick = nick
        self.heard: list[Line] = []
        self._server = server
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._joined = asyncio.Event()
        self._names: dict[str, set[str]] = {}
        self._newcomers: list[tuple[str, str]] = []

    async def connect(self, *channels: str) -> None:
        """Log in and join."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        self._writer = writer
        if self._server.password:
            await self.write(f"PASS {self._server.password}")
        await self.write(f"NICK {self.nick}")
        await self.write(f"USER {self.nick} 0 * :{self.nick}")
        welcome = asyncio.Event()
        self._reading = asyncio.create_task(self._read(reader, welcome))
        async with asyncio.timeout(LIMIT):
            await welcome.wait()
            for channel in channels:
                await self.write(f"JOIN {channel}")
                while self.nick not in self._names.get(channel, set()):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    async def present(self, nick: str, channel: str) -> None:
        """Wait until somebody is in the channel."""
        async with asyncio.timeout(LIMIT):
            while nick not in self._names.get(channel, set()):
                await self.write(f"NAMES {channel}")
                await asyncio.sleep(0.05)

    def joined(self, channel: str) -> list[str]:
        """Who came into the channel after us."""
        return [nick for nick, where in self._newcomers if where == channel]

    async def online(self, nick: str) -> None:
        """Wait until somebody is there."""
        async with asyncio.timeout(LIMIT):
            while not any(line.command == "303" and nick in line.words[-1] for line in self.heard):
                await self.write(f"ISON {nick}")
                await asyncio.sleep(0.05)
        self.heard = [line for line in self.heard if line.command != "303"]

    async def write(self, line: str) -> None:
        assert self._writer is not None
        self._writer.write(line.encode() + b"\r\n")
        await self._writer.drain()

    async def say(self, place: str, text: str) -> None:
        await self.write(f"PRIVMSG {place} :{text}")

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader, welcome: asyncio.Event) -> None:
        with suppress(OSError, ValueError):
            while raw := await reader.readline():
                line = parse(raw)
                if line is None:
                    continue
                if line.command == "PING":
                    await self.write(f"PONG :{line.words[-1]}")
                elif line.command == "001":
                    welcome.set()
                elif line.command == "353":
                    names = {name.lstrip("@+") for name in line.words[-1].split()}
                    self._names[line.words[2]] = names
                elif line.command == "JOIN" and not line.prefix.startswith(f"{self.nick}!"):
                    self._newcomers.append((line.prefix.partition("!")[0], line.words[0]))
                elif line.command in ("PRIVMSG", "303"):
                    self.heard.append(line)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port
