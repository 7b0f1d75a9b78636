"""IRC, against a real ngIRCd."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hermes_agent.domain.chats import Origin
from hermes_agent.platforms.base import PlatformSettings
from tests.contract.platforms.harness import Feature, File, Harness, Seen
from tests.servers.irc import PROGRAM, IrcPerson, Ngircd

FEATURES: frozenset[Feature] = frozenset(("credentials", "groups", "outages", "private", "sees"))
PASSWORD = "the-password-of-the-server"
CHANNEL = "#team"
_FORMATTING = re.compile("[\x02\x1d\x1f\x1e\x11\x0f\x16]|\x03\\d*")


class IrcHarness:
    """Alice on a channel with us; ngIRCd has no accounts, so she is who her host says."""

    features = FEATURES

    def __init__(self, server: Ngircd, alice: IrcPerson) -> None:
        self._server = server
        self._alice = alice

    @property
    def secrets(self) -> tuple[str, ...]:
        return (PASSWORD,)

    @property
    def origin(self) -> Origin:
        return Origin(platform="irc", chat_id="alice", user_id="alice!~alice@127.0.0.1")

    def settings(self, media: Path, *, wrong: bool = False) -> PlatformSettings:
        return PlatformSettings(
            name="irc",
            values={
                "server": "127.0.0.1",
                "port": str(self._server.port),
                "nick": "hermes",
                "tls": "false",
                "password": "another-word-than-that" if wrong else PASSWORD,
                "channels": CHANNEL,
            },
            media_dir=media,
        )

    async def say(self, text: str, *, file: File | None = None) -> None:
        await self._alice.online("hermes")
        line = re.sub(r"[\r\n\0]+", " ", text).encode("utf-8", "replace")[:380]
        await self._alice.say("hermes", line.decode("utf-8", "ignore") or " ")

    async def say_in_group(self, text: str, *, mention: bool) -> None:
        await self._alice.present("hermes", CHANNEL)
        await self._alice.say(CHANNEL, f"hermes: {text}" if mention else text)

    async def repeat(self) -> None:
        raise NotImplementedError

    async def press(self, label: str) -> None:
        raise NotImplementedError

    def seen(self) -> list[Seen]:
        return [
            Seen(id="", text=_FORMATTING.sub("", line.words[-1]))
            for line in self._alice.heard
            if line.prefix.startswith("hermes") and line.words[0] == "alice"
        ]

    def reactions(self) -> list[str]:
        raise NotImplementedError

    async def vanish(self) -> None:
        await self._alice.close()
        await self._server.stop()

    async def come_back(self) -> None:
        await self._server.start()
        await self._alice.connect(CHANNEL)


@asynccontextmanager
async def harness(folder: Path) -> AsyncGenerator[Harness]:
    if PROGRAM is None:
        pytest.skip("NOT TESTED: there is no ngircd on this machine")
    server = Ngircd(folder, password=PASSWORD)
    await server.start()
    alice = IrcPerson(server, "alice")
    await alice.connect(CHANNEL)
    try:
        yield IrcHarness(server, alice)
    finally:
        await alice.close()
        await server.stop()
