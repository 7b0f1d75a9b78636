"""A fake Bot API, Alice, and the settings that lead the adapter to them."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hermes_agent.domain.chats import Target
from hermes_agent.platforms.base import PlatformSettings
from tests.servers.telegram import BotApi, World
from tests.servers.telegram.world import Json


class Place:
    """One bot's server with Alice."""

    def __init__(self, server: BotApi, folder: Path) -> None:
        self.server = server
        self.world: World = server.world
        self.alice: Json = self.world.person("Alice", username="alice")
        self.here = Target(platform="telegram", chat_id=str(self.alice["id"]))
        self._folder = folder

    def settings(self, **values: Any) -> PlatformSettings:
        """With further values of the adapter's own."""
        reply_to = values.pop("reply_to", "first")
        return PlatformSettings(
            name="telegram",
            values={
                "bot_token": self.server.token,
                "base_url": self.server.base_url,
                "poll_timeout": 30,
                **values,
            },
            media_dir=self._folder / "media",
            reply_to=reply_to,
        )

    def seen(self) -> list[Json]:
        """What Alice sees of the bot."""
        return self.world.seen(self.alice["id"])


@contextmanager
def opened(folder: Path) -> Generator[Place]:
    """The place, for the length of a `with` block."""
    with BotApi() as server:
        yield Place(server, folder)
