"""Accounts and rooms on a real Synapse, and lives of the adapter among them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hermes_agent.platforms.base import Platform, PlatformSettings
from tests.contract.platforms.door import RecordingDoor
from tests.contract.platforms.running import connected
from tests.servers.synapse import Person, Synapse, shared


@dataclass
class House:
    """`us` is the account of the adapter, alone with Anna in `private`, and with her and Bert in
    `hall`. Anna listens."""

    server: Synapse
    us: Person
    anna: Person
    bert: Person
    private: str
    hall: str
    media: Path
    door: RecordingDoor

    def settings(self, **values: Any) -> PlatformSettings:
        given = {"homeserver": self.server.url, "access_token": self.us.token, **values}
        return PlatformSettings(
            name="matrix",
            values={name: value for name, value in given.items() if value is not None},
            media_dir=self.media,
        )

    @asynccontextmanager
    async def life(self, **values: Any) -> AsyncGenerator[tuple[Platform, RecordingDoor]]:
        """One life of the adapter; the door's facts outlive it."""
        async with connected(self.settings(**values), self.door) as platform:
            yield platform, self.door

    def texts(self) -> list[str]:
        """What was accepted."""
        return [each.text for each in self.door.accepted]


@asynccontextmanager
async def matrix_house(home: Path) -> AsyncGenerator[House]:
    """Until the block ends."""
    server = await asyncio.to_thread(shared)
    if not server.running:
        await asyncio.to_thread(server.start)
    us, anna, bert = [await server.person(name) for name in ("hermes", "anna", "bert")]
    private = await anna.room(us, direct=True)
    hall = await anna.room(us, bert, name="The hall")
    await us.join(private)
    await us.join(hall)
    await bert.join(hall)
    anna.listen()
    try:
        media = home / "document_cache" / "matrix"
        yield House(server, us, anna, bert, private, hall, media, RecordingDoor())
    finally:
        await anna.close()
