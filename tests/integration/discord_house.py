"""A Discord with a server, a channel and a private chat, and lives of the adapter on it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hermes_agent.domain.chats import Target
from hermes_agent.platforms.base import Platform, PlatformSettings
from hermes_agent.platforms.table import create
from tests.integration.ledger_door import LedgerDoor, ledger_door, running
from tests.servers.discord.server import TOKEN, DiscordServer, discord_server

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


@asynccontextmanager
async def discord_house(home: Path) -> AsyncGenerator[House]:
    """Until the block ends."""
    async with discord_server() as server:
        world = server.world
        world.user(ANNA, "anna")
        world.user(BERT, "bert")
        guild = world.guild()
        yield House(server, home, guild, world.channel(guild), world.private(ANNA))


def at(channel: int) -> Target:
    """That place."""
    return Target(platform="discord", chat_id=str(channel))
