"""Matrix, against a real Synapse."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from hermes_agent.domain.chats import Origin
from hermes_agent.platforms.base import PlatformSettings
from tests.contract.platforms.harness import Feature, File, Harness, Seen
from tests.servers.synapse import Person, Synapse, shared

MOST = 30_000
"""Letters that fit into an event, whatever they are."""

FEATURES: frozenset[Feature] = frozenset(
    (
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
        "sees",
    )
)


class MatrixHarness:
    """Alice, alone with us in one room, and with us and Carol in another."""

    features = FEATURES

    def __init__(self, server: Synapse, us: Person, alice: Person, private: str, hall: str) -> None:
        self._server = server
        self._us = us
        self._alice = alice
        self._private = private
        self._hall = hall
        self._last = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self._us.token,)

    @property
    def origin(self) -> Origin:
        return Origin(platform="matrix", chat_id=self._private, user_id=self._alice.id)

    def settings(self, media: Path, *, wrong: bool = False) -> PlatformSettings:
        return PlatformSettings(
            name="matrix",
            values={
                "homeserver": self._server.url,
                "access_token": "syt_another_word_than_that" if wrong else self._us.token,
                "user_id": self._us.id,
            },
            media_dir=media,
        )

    async def say(self, text: str, *, file: File | None = None) -> None:
        if file is None:
            self._last = await self._alice.say(self._private, text[:MOST])
            return
        self._last = await self._alice.say(
            self._private,
            text,
            msgtype="m.file",
            filename=file.name,
            url=await self._alice.upload(file.data, file.media_type),
            info={"mimetype": file.media_type, "size": len(file.data)},
        )

    async def say_in_group(self, text: str, *, mention: bool) -> None:
        if mention:
            named = {"user_ids": [self._us.id]}
            await self._alice.say(self._hall, f"{self._us.id}: {text}", **{"m.mentions": named})
        else:
            await self._alice.say(self._hall, text)

    async def repeat(self) -> None:
        raise NotImplementedError

    async def press(self, label: str) -> None:
        raise NotImplementedError

    def seen(self) -> list[Seen]:
        return [
            Seen(
                id=each["id"],
                text="" if "url" in each else each["body"],
                files=(File(each["filename"], self._alice.files[each["url"]]),)
                if "url" in each
                else (),
                edited=each["edited"],
            )
            for each in self._alice.messages(self._private, self._us.id)
        ]

    def reactions(self) -> list[str]:
        return self._alice.reactions(self._us.id, self._last)

    async def vanish(self) -> None:
        await asyncio.to_thread(self._server.stop)

    async def come_back(self) -> None:
        await asyncio.to_thread(self._server.start)


@asynccontextmanager
async def harness(folder: Path) -> AsyncGenerator[Harness]:
    server = await asyncio.to_thread(shared)
    if not server.running:
        await asyncio.to_thread(server.start)
    us, alice, carol = [await server.person(name) for name in ("hermes", "alice", "carol")]
    private = await alice.room(us, direct=True)
    hall = await alice.room(us, carol, name="The hall")
    await us.join(private)
    for each in (us, carol):
        await each.join(hall)
    alice.listen()
    try:
        yield MatrixHarness(server, us, alice, private, hall)
    finally:
        await alice.close()
