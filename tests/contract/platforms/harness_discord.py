"""Discord's gateway and REST, against our own server of them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hermes_agent.domain.chats import Origin
from hermes_agent.platforms.base import PlatformSettings
from tests.contract.platforms.harness import Feature, File, Harness, Seen
from tests.servers.discord.server import TOKEN, DiscordServer, discord_server
from tests.servers.discord.world import BOT

ALICE = 101
FEATURES: frozenset[Feature] = frozenset(
    (
        "buttons",
        "credentials",
        "edits",
        "files in",
        "files out",
        "groups",
        "keeps",
        "once",
        "outages",
        "private",
        "reactions",
        "repeats",
        "sees",
    )
)


class DiscordHarness:
    """Alice, alone with the bot and on a server with it."""

    features = FEATURES
    secrets = (TOKEN,)

    def __init__(self, server: DiscordServer) -> None:
        self._server = server
        world = server.world
        world.user(ALICE, "alice")
        self._private = world.private(ALICE)
        self._hall = world.channel(world.guild())
        self._last = 0

    @property
    def origin(self) -> Origin:
        return Origin(platform="discord", chat_id=str(self._private), user_id=str(ALICE))

    def settings(self, media: Path, *, wrong: bool = False) -> PlatformSettings:
        return PlatformSettings(
            name="discord",
            values={
                "bot_token": "another-bots.token.0815" if wrong else TOKEN,
                "api_base": self._server.url,
                "gateway_url": self._server.gateway.url.rstrip("/"),
            },
            media_dir=media,
        )

    async def say(self, text: str, *, file: File | None = None) -> None:
        files = () if file is None else ((file.name, file.media_type, file.data),)
        self._last = await self._server.say(self._private, ALICE, text[:4000], files=files)

    async def say_in_group(self, text: str, *, mention: bool) -> None:
        named = f"<@{BOT}> {text}" if mention else text
        await self._server.say(self._hall, ALICE, named, mention=(BOT,) if mention else ())

    async def repeat(self) -> None:
        await self._server.gateway.tell("MESSAGE_CREATE", self._messages[self._last])

    async def press(self, label: str) -> None:
        ident, button = next(
            (int(message["id"]), each)
            for message in reversed(self._ours())
            for each in _buttons(message)
            if each["label"] == label
        )
        await self._server.press(self._private, ident, button["custom_id"], ALICE)

    def seen(self) -> list[Seen]:
        return [
            Seen(
                id=each["id"],
                text=each["content"],
                files=tuple(
                    File(name, data) for name, data in self._server.rest.sent_files(int(each["id"]))
                ),
                buttons=tuple(button["label"] for button in _buttons(each)),
                edited=each["edited_timestamp"] is not None,
            )
            for each in self._ours()
        ]

    def reactions(self) -> list[str]:
        return sorted(self._server.rest.reactions.get(self._last, set()))

    async def vanish(self) -> None:
        await self._server.stop()

    async def come_back(self) -> None:
        await self._server.start()

    @property
    def _messages(self) -> dict[int, dict[str, Any]]:
        return self._server.world.channels[self._private].messages

    def _ours(self) -> list[dict[str, Any]]:
        return [each for each in self._messages.values() if each["author"]["id"] == str(BOT)]


def _buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for row in message["components"] for each in row["components"]]


@asynccontextmanager
async def harness(folder: Path) -> AsyncGenerator[Harness]:
    """The server and Alice."""
    async with discord_server() as server:
        yield DiscordHarness(server)
