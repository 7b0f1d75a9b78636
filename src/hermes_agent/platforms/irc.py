"""IRC: https://modern.ircdocs.horse, with IRCv3 message tags, SASL PLAIN and account names.

A person's id is the account that they are logged in to, where the server tells it (`account-tag`);
elsewhere it is `nick!user@host`, which whoever has that nick and host can take: list accounts.
IRC acknowledges nothing: what is said while we are away is lost, and a message that was sent when
the process died may be sent again.
"""

import asyncio
import itertools
import logging
import re
import secrets
import ssl
from collections.abc import Callable

from hermes_agent.config.secret import Secret
from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.domain.chats import Inbound, Origin, Post, Target
from hermes_agent.domain.errors import ConfigError, StoreError
from hermes_agent.platforms.base import (
    Door,
    MessageGone,
    PlatformDown,
    PlatformSettings,
    SendRefused,
)
from hermes_agent.platforms.irc_wire import LINE, IrcSettings, Line, Wire, last

FIRST_PAUSE, MAX_PAUSE = 0.2, 15.0
ROOM_FOR_PREFIX = 120
"""Bytes that the server may put before our text: `:nick!user@host PRIVMSG #channel :`."""
_CHANNEL = ("#", "&", "+", "!")
_WORD = re.compile(r"[^\s,:\0\r\n]{1,64}")
_log = logging.getLogger(__name__)


def create(settings: PlatformSettings) -> "Irc":
    """The adapter. Raises `ConfigError`."""
    values = settings.values

    def text(name: str) -> str:
        return str(values.get(name, "")).strip()

    tls = text("tls").lower() not in ("0", "false", "no", "off")
    port = text("port") or ("6697" if tls else "6667")
    nick = text("nick")
    if not text("server"):
        raise ConfigError("irc: there is no server.", hint="Set IRC_SERVER in .env.")
    if not _WORD.fullmatch(nick) or nick.startswith(_CHANNEL):
        raise ConfigError(f"irc: {nick!r} is no nick.", hint="Set IRC_NICK in .env.")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigError(f"irc: {port!r} is no port.", hint="Set IRC_PORT to a number.")
    listed = values.get("channels", "")
    words = listed if isinstance(listed, list) else re.split(r"[,\s]+", str(listed))
    channels = tuple(word for word in words if word)
    for channel in channels:
        if not channel.startswith(_CHANNEL) or not _WORD.fullmatch(channel):
            raise ConfigError(f"irc: {channel!r} is no channel.", hint="IRC_CHANNELS=#one,#two")
    found = IrcSettings(
        server=text("server"),
        port=int(port),
        nick=nick,
        tls=tls,
        ca_file=text("ca_file"),
        password=Secret(text("password")),
        sasl_user=text("sasl_user") or text("sasl_username"),
        sasl_password=Secret(text("sasl_password")),
        channels=channels,
    )
    if not tls and (found.sasl_password or found.password) and not _is_loopback(found.server):
        raise ConfigError(
            "irc: a password is not sent without TLS.", hint="Leave IRC_TLS on, or out."
        )
    return Irc(found)


class Irc:
    """The port `Platform`."""

    name = "irc"
    capabilities = Capabilities(
        dialect="irc",
        max_length=LINE - ROOM_FOR_PREFIX - 2,
        unit="bytes",
        window=(
            "A line that was sent when the process died is sent again after the start; what "
            "others said while it was away is lost."
        ),
    )

    def __init__(self, settings: IrcSettings) -> None:
        self._settings = settings
        self._wire: Wire | None = None
        self._ids = itertools.count(1)
        self._life = secrets.token_hex(6)
        self._refusals: dict[str, str] = {}

    async def run(self, door: Door, ready: Callable[[], None]) -> None:
        """See `Platform.run`."""
        wire = self._wire = await Wire.open(self._settings)
        try:
            for channel in self._settings.channels:
                await wire.write(f"JOIN {channel}")
            ready()
            async for line in wire.lines():
                await self._hear(line, wire, door)
        except (OSError, ssl.SSLError) as error:
            raise PlatformDown(
                f"irc: the connection to {self._settings.where} broke: {error}"
            ) from error
        finally:
            self._wire = None
            await wire.close()
        raise PlatformDown(f"irc: {self._settings.where} closed the connection.")

    async def send(self, target: Target, post: Post, key: str) -> str:
        """See `Platform.send`. IRC has no ids; the key stands for one."""
        place = target.chat_id
        if not _WORD.fullmatch(place):
            raise SendRefused(f"irc: {place!r} is no place.")
        if place.lower() in self._refusals:
            raise SendRefused(f"irc: {place}: {self._refusals.pop(place.lower())}")
        wire = self._wire
        if wire is None:
            raise PlatformDown(f"irc: not connected to {self._settings.where}.")
        for line in post.text.splitlines() or [""]:
            for piece in pieces(_printable(line), self.capabilities.max_length):
                await wire.paced()
                await wire.write(f"PRIVMSG {place} :{piece}")
        return key

    async def edit(self, target: Target, message_id: str, post: Post) -> None:
        """What was said on IRC stays said."""
        raise MessageGone("irc: messages cannot be edited.")

    async def typing(self, target: Target) -> None:
        """There is nothing to show it with."""

    async def react(self, target: Target, message_id: str, emoji: str) -> None:
        """There is nothing to do it with."""

    async def close(self) -> None:
        """See `Platform.close`."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    async def _hear(self, line: Line, wire: Wire, door: Door) -> None:
        match line.command:
            case "PRIVMSG" if len(line.words) >= 2:
                await self._message(line, wire.nick, door)
            case "NICK" if _nick(line.prefix) == wire.nick and line.words:
                wire.nick = line.words[0]
            case "401" | "403" | "404" | "405" | "442" | "477" if len(line.words) >= 2:
                self._refusals[line.words[1].lower()] = last(line)
                while len(self._refusals) > 100:
                    self._refusals.pop(next(iter(self._refusals)))
            case "471" | "473" | "474" | "475" | "476" | "489" if len(line.words) >= 2:
                _log.warning("irc: we cannot join %s: %s", line.words[1], last(line))
            case "KICK" if len(line.words) >= 2 and line.words[1] == wire.nick:
                _log.warning("irc: we were put out of %s: %s", line.words[0], last(line))
            case "ERROR":
                raise PlatformDown(f"irc: {self._settings.where} said: {last(line)}")
            case _:
                pass

    async def _message(self, line: Line, ours: str, door: Door) -> None:
        sender, place, text = _nick(line.prefix), line.words[0], line.words[1]
        if sender == ours or not sender or "!" not in line.prefix:
            return
        if text.startswith("\1"):
            if not text.startswith("\1ACTION "):
                return
            text = text[8:].rstrip("\1")
        private = not place.startswith(_CHANNEL)
        meant, text = (True, text) if private else addressed(text, ours)
        origin = Origin(
            platform=self.name,
            chat_id=sender if private else place,
            chat_type="dm" if private else "group",
            user_id=line.tags.get("account") or line.prefix,
            user_name=sender,
            chat_name="" if private else place,
        )
        if not await door.admits(origin, addressed=meant):
            return
        number = line.tags.get("msgid") or f"{self._life}.{next(self._ids)}"
        inbound = Inbound(key=number, origin=origin, text=_printable(text), message_id=number)
        await _insist(door, inbound)


async def _insist(door: Door, inbound: Inbound) -> None:
    """Nobody keeps the message for us, so we hold it until it can be stored; what comes after it
    waits in the connection."""
    pause = FIRST_PAUSE
    while True:
        try:
            await door.accept(inbound)
        except StoreError:
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE)
        else:
            return


def addressed(text: str, ours: str) -> tuple[bool, str]:
    """Whether our nick is in it; a nick at the beginning is taken off."""
    nick = re.escape(ours)
    begins = re.match(rf"@?{nick}[:,]?\s+", text, re.IGNORECASE)
    if begins:
        return True, text[begins.end() :]
    return bool(re.search(rf"(?<![\w-]){nick}(?![\w-])", text, re.IGNORECASE)), text


def _nick(prefix: str) -> str:
    return prefix.partition("!")[0]


def _printable(text: str) -> str:
    """Without what would end the line, or the text."""
    return re.sub(r"[\r\n\0]+", " ", text)


def pieces(text: str, most: int) -> list[str]:
    """The text in pieces of at most so many bytes, no character cut in two."""
    data = text.encode("utf-8", "replace")
    pieces: list[str] = []
    while data:
        end = min(most, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(data[:end].decode())
        data = data[end:]
    return [piece for piece in pieces if piece.strip()]


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
