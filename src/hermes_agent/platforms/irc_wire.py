"""A connection to an IRC server: lines in and out, the login, the pace.

https://modern.ircdocs.horse, https://ircv3.net/specs/extensions/sasl-3.1
"""

import asyncio
import base64
import re
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.platforms.base import PlatformDown, PlatformRefused

LINE = 512
TAGS = 8191
BURST, PACE = 4, 1.0
CONNECT_SECONDS = 30.0
PING_SECONDS = 90.0
WANTED = frozenset(("message-tags", "account-tag", "server-time"))
NONE = Secret("")


class Line(msgspec.Struct, frozen=True):
    """One line of the protocol. `prefix` is who sent it."""

    command: str
    words: tuple[str, ...]
    prefix: str = ""
    tags: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class IrcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`sasl_user` empty: no login. `tls` off is for servers on loopback or behind a tunnel."""

    server: str
    port: int
    nick: str
    tls: bool = True
    ca_file: str = ""
    password: Secret = NONE
    sasl_user: str = ""
    sasl_password: Secret = NONE
    channels: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """For people."""
        return f"{self.server}:{self.port}"


class Wire:
    """One connection. `nick` is what the server calls us."""

    def __init__(
        self,
        settings: IrcSettings,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.nick = settings.nick
        self._settings = settings
        self._reader = reader
        self._writer = writer
        self._pace = asyncio.Lock()
        self._allowance = float(BURST)
        self._paced_at = 0.0
        self._offered: set[str] = set()
        self._logged_in = False

    @classmethod
    async def open(cls, settings: IrcSettings) -> "Wire":
        """Connect and log in. Raises `PlatformDown`, `PlatformRefused`."""
        wire = cls(settings, *await _connect(settings))
        try:
            await wire._register()
        except BaseException:
            await wire.close()
            raise
        return wire

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with suppress(OSError, ssl.SSLError):
            await self._writer.wait_closed()

    async def _register(self) -> None:
        """Log in. Raises `PlatformRefused`, `PlatformDown`."""
        settings = self._settings
        await self.write("CAP LS 302")
        if settings.password:
            await self.write(f"PASS :{settings.password.reveal()}")
        await self.write(f"NICK {self.nick}")
        await self.write(f"USER {settings.nick} 0 * :Hermes Agent")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                async for line in self.lines():
                    if await self._registered(line):
                        return
        except TimeoutError:
            raise PlatformDown(f"irc: {self._settings.where} did not let us in in time.") from None
        raise PlatformDown(f"irc: {self._settings.where} closed the connection at the door.")

    async def _registered(self, line: Line) -> bool:
        match line.command:
            case "CAP":
                await self._negotiate(line)
            case "AUTHENTICATE" if last(line) == "+":
                settings = self._settings
                plain = f"\0{settings.sasl_user}\0{settings.sasl_password.reveal()}"
                await self.write(f"AUTHENTICATE {base64.b64encode(plain.encode()).decode()}")
            case "903":
                self._logged_in = True
                await self.write("CAP END")
            case "902" | "904" | "905" | "906" | "908":
                raise PlatformRefused(
                    f"irc: {self._settings.where} refused the login of {self._settings.sasl_user}.",
                    hint="Check IRC_SASL_USER and IRC_SASL_PASSWORD.",
                )
            case "464" | "465":
                raise PlatformRefused(
                    f"irc: {self._settings.where} refused us: {last(line)}",
                    hint="Check IRC_PASSWORD.",
                )
            case "432":
                raise PlatformRefused(
                    f"irc: {self._settings.where} does not take the nick {self.nick}: {last(line)}",
                    hint="Set IRC_NICK to another.",
                )
            case "433" | "436":
                # Nine characters are what every server takes (RFC 2812, 1.2.1).
                self.nick = f"{self._settings.nick[:6]}-{secrets.token_hex(1)}"
                await self.write(f"NICK {self.nick}")
            case "ERROR" if self._settings.password and "password" in last(line).lower():
                # Some servers have no number for it.
                raise PlatformRefused(
                    f"irc: {self._settings.where} refused us: {last(line)}",
                    hint="Check IRC_PASSWORD.",
                )
            case "ERROR":
                raise PlatformDown(f"irc: {self._settings.where} said: {last(line)}")
            case "001":
                # A server that knows no CAP at all lets us in without having asked.
                self._insist_on_login(self._logged_in or not self._settings.sasl_user)
                self.nick = line.words[0] if line.words else self.nick
                return True
            case _:
                pass
        return False

    async def _negotiate(self, line: Line) -> None:
        """https://ircv3.net/specs/extensions/capability-negotiation"""
        verb = line.words[1].upper() if len(line.words) > 1 else ""
        named = {word.partition("=")[0] for word in last(line).split()}
        if verb == "LS":
            self._offered |= named
            if "*" in line.words[2:-1]:
                # More lines follow.
                return
            wanted = WANTED & self._offered
            if self._settings.sasl_user:
                self._insist_on_login("sasl" in self._offered)
                wanted |= {"sasl"}
            await self.write(f"CAP REQ :{' '.join(sorted(wanted))}" if wanted else "CAP END")
        elif verb == "ACK" and "sasl" in named:
            await self.write("AUTHENTICATE PLAIN")
        elif verb in ("ACK", "NAK"):
            self._insist_on_login(verb == "ACK" or not self._settings.sasl_user)
            await self.write("CAP END")

    def _insist_on_login(self, possible: bool) -> None:
        """A login that was asked for is never left out. Raises `PlatformRefused`."""
        if not possible:
            raise PlatformRefused(
                f"irc: {self._settings.where} has no SASL login.",
                hint="Leave IRC_SASL_USER out, or use a server with accounts.",
            )

    async def lines(self) -> AsyncIterator[Line]:
        """What the server says; pings are answered here, and silence is broken by our own."""
        asked = False
        while True:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    raw = await self._reader.readline()
            except TimeoutError:
                if asked:
                    raise PlatformDown(f"irc: {self._settings.where} is silent.") from None
                asked = True
                await self.write("PING :still-there")
                continue
            except ValueError:
                # Longer than any line may be; the rest of it is no line of its own either.
                raise PlatformDown(
                    f"irc: {self._settings.where} sent a line without an end."
                ) from None
            if not raw:
                return
            asked = False
            line = parse(raw)
            if line is None:
                continue
            if line.command == "PING":
                await self.write(f"PONG :{last(line)}")
            else:
                yield line

    async def paced(self) -> None:
        """A few lines at once, then one a second: servers throw out who is faster."""
        async with self._pace:
            now = asyncio.get_running_loop().time()
            grown = self._allowance + (now - self._paced_at) / PACE
            self._allowance, self._paced_at = min(float(BURST), grown), now
            if self._allowance < 1:
                await asyncio.sleep((1 - self._allowance) * PACE)
                self._allowance, self._paced_at = 1.0, asyncio.get_running_loop().time()
            self._allowance -= 1

    async def write(self, line: str) -> None:
        """Send one line. Raises `PlatformDown`."""
        try:
            self._writer.write(line.encode("utf-8", "replace")[: LINE - 2] + b"\r\n")
            await self._writer.drain()
        except (OSError, ssl.SSLError) as error:
            raise PlatformDown(
                f"irc: the connection to {self._settings.where} broke: {error}"
            ) from error


async def _connect(
    settings: IrcSettings,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = ssl.create_default_context(cafile=settings.ca_file or None)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await asyncio.open_connection(
                settings.server,
                settings.port,
                ssl=context if settings.tls else None,
                limit=LINE + TAGS,
            )
    except ssl.SSLCertVerificationError as error:
        raise PlatformRefused(
            f"irc: the certificate of {settings.where} is not trusted: {error.verify_message}.",
            hint="Name its authority with platforms.irc.extra.ca_file.",
        ) from error
    except (OSError, TimeoutError) as error:
        raise PlatformDown(f"irc: {settings.where} cannot be reached: {error}") from error


def parse(raw: bytes) -> Line | None:
    """A line as it came; None for what is no line."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    tags: dict[str, str] = {}
    prefix = ""
    if text.startswith("@"):
        head, _, text = text[1:].partition(" ")
        for tag in head.split(";"):
            name, _, value = tag.partition("=")
            tags[name] = _unescaped(value)
        text = text.lstrip(" ")
    if text.startswith(":"):
        prefix, _, text = text[1:].partition(" ")
        text = text.lstrip(" ")
    head, colon, trailing = text.partition(" :")
    words = head.split()
    if not words:
        return None
    last = (trailing,) if colon else ()
    return Line(words[0].upper(), (*words[1:], *last), prefix, tags)


def _unescaped(value: str) -> str:
    escapes = {"\\:": ";", "\\s": " ", "\\\\": "\\", "\\r": "\r", "\\n": "\n"}
    return re.sub(r"\\.", lambda found: escapes.get(found[0], found[0][1:]), value)


def last(line: Line) -> str:
    return line.words[-1] if line.words else ""
