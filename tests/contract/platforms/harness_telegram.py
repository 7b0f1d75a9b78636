"""Telegram by long polling, against the fake Bot API."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hermes_agent.domain.chats import Origin
from hermes_agent.platforms.base import PlatformSettings
from tests.contract.platforms.harness import Feature, File, Harness, Seen
from tests.servers.telegram import BotApi

FEATURES: frozenset[Feature] = frozenset(
    (
        "buttons",
        "credentials",
        "edits",
        "files in",
        "files out",
        "groups",
        "keeps",
        "outages",
        "private",
        "reactions",
        "repeats",
        "sees",
    )
)


class TelegramHarness:
    """Alice, alone with the bot and in a group with it."""

    features = FEATURES

    def __init__(self, server: BotApi) -> None:
        self._server = server
        self._world = server.world
        self._alice = self._world.person("Alice", username="alice")
        self._group = self._world.group("Team")
        self._last: dict[str, Any] = {}

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self._server.token, self._server.token.partition(":")[2])

    @property
    def origin(self) -> Origin:
        user = str(self._alice["id"])
        return Origin(platform="telegram", chat_id=user, user_id=user)

    def settings(self, media: Path, *, wrong: bool = False) -> PlatformSettings:
        token = "4242:AAsome-other-bots-token-987654321" if wrong else self._server.token
        return PlatformSettings(
            name="telegram",
            values={"bot_token": token, "base_url": self._server.base_url, "poll_timeout": 30},
            media_dir=media,
        )

    async def say(self, text: str, *, file: File | None = None) -> None:
        if file is None:
            self._last = self._world.say(self._alice, text)
        else:
            self._last = self._world.send_file(
                self._alice,
                "document",
                file.name,
                file.data,
                caption=text,
                media_type=file.media_type,
            )

    async def say_in_group(self, text: str, *, mention: bool) -> None:
        named = f"@{self._world.me['username']} {text}" if mention else text
        self._world.say(self._alice, named, self._group["id"])

    async def repeat(self) -> None:
        self._world.push(self._last)

    async def press(self, label: str) -> None:
        chat_id = self._alice["id"]
        message_id = next(
            each["message_id"]
            for each in reversed(self._world.seen(chat_id))
            if label in _labels(each)
        )
        self._world.press(self._alice, chat_id, message_id, label)

    def seen(self) -> list[Seen]:
        return [
            Seen(
                id=str(each["message_id"]),
                text=each.get("text") or each.get("caption", ""),
                files=tuple(File(name, data) for _, name, data in self._world.data(each)),
                buttons=_labels(each),
                edited="edit_date" in each,
            )
            for each in self._world.seen(self._alice["id"])
        ]

    def reactions(self) -> list[str]:
        message = self._last["message"]
        place = (message["chat"]["id"], message["message_id"])
        return self._world.reactions.get(place, [])

    async def vanish(self) -> None:
        self._server.stop()

    async def come_back(self) -> None:
        self._server.start()


def _labels(message: dict[str, Any]) -> tuple[str, ...]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return tuple(button["text"] for row in rows for button in row)


@asynccontextmanager
async def harness(folder: Path) -> AsyncGenerator[Harness]:
    """The server and Alice."""
    with BotApi() as server:
        yield TelegramHarness(server)
