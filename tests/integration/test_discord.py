"""Discord through its real client library, against a loopback server of its protocols."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.chats import Post, Target
from hermes_agent.platforms.base import Platform, PlatformSettings
from hermes_agent.platforms.table import create
from tests.integration.ledger_door import LedgerDoor, ledger_door, running
from tests.servers.discord.server import TOKEN, DiscordServer, discord_server
from tests.servers.discord.world import BOT

ANNA, BERT = 101, 102


@dataclass
class House:
    """A server with a channel, a private chat, and the adapter."""

    server: DiscordServer
    home: Path
    guild: int
    hall: int
    private: int

    def platform(self, **values: Any) -> Platform:
        return create(
            PlatformSettings(
                name="discord",
                values={
                    "token": TOKEN,
                    "api_base": self.server.url,
                    "gateway_url": self.server.gateway.url.rstrip("/"),
                    **values,
                },
                media_dir=self.home / "media",
            )
        )

    @asynccontextmanager
    async def life(self, **values: Any) -> AsyncGenerator[tuple[Platform, LedgerDoor]]:
        """One life of the adapter on the home's ledger."""
        platform = self.platform(**values)
        async with ledger_door(self.home) as door, running(platform, door):
            yield platform, door


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with discord_server() as server:
        world = server.world
        world.user(ANNA, "anna")
        world.user(BERT, "bert")
        guild = world.guild()
        yield House(server, tmp_path / "home", guild, world.channel(guild), world.private(ANNA))


async def test_a_private_message_is_stored(house: House) -> None:
    async with house.life() as (_, door):
        said = await house.server.say(house.private, ANNA, "Good morning")
        (inbound,) = await door.wait(1)
    assert inbound.key == str(said)
    assert inbound.text == "Good morning"
    assert inbound.origin.chat_type == "dm"
    assert inbound.origin.chat_id == str(house.private)
    assert inbound.origin.user_id == str(ANNA)
    assert inbound.message_id == str(said)


async def test_an_answer_is_sent(house: House) -> None:
    async with house.life() as (platform, _):
        target = Target(platform="discord", chat_id=str(house.private))
        sent = await platform.send(target, Post(text="**Hello**", plain="Hello"), "turn.0")
    message = house.server.world.channels[house.private].messages[int(sent)]
    assert message["content"] == "**Hello**"
    assert message["author"]["id"] == str(BOT)
