"""A home with a gateway in it, that can be stopped, killed and started again."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from hermes_agent.config.load import load
from hermes_agent.gateway.app import Gateway
from hermes_agent.platforms.base import PlatformSettings
from tests.gateway.scripted import LIMIT, ScriptedPlatform
from tests.servers.model import ModelServer


class House:
    """`person` is on the platform; 1 is let in, others are strangers unless `variables` say
    otherwise. `config` is YAML for config.yaml."""

    def __init__(
        self,
        home: Path,
        model: ModelServer,
        person: ScriptedPlatform,
        config: str = "",
        **variables: str,
    ) -> None:
        self.home = home
        self.model = model
        self.person = person
        for folder in ("sessions", "logs"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        (home / "config.yaml").write_text(
            "model:\n  provider: custom\n  default: scripted-model\n"
            f"  base_url: {model.base_url}\n{config}"
        )
        self._environ = {
            "HERMES_HOME": str(home),
            "HOME": str(home.parent),
            "PATH": os.environ["PATH"],
            "TELEGRAM_ALLOWED_USERS": "1",
            **variables,
        }
        self.gateway: Gateway | None = None

    @property
    def running(self) -> Gateway:
        """The gateway of now."""
        assert self.gateway is not None
        return self.gateway

    async def start(self) -> Gateway:
        """A gateway begins."""
        settings = PlatformSettings(name=self.person.name, values={}, media_dir=self.home / "media")
        self.gateway = Gateway(
            load(environ=self._environ), make=lambda _: self.person, platforms=[settings]
        )
        await self.gateway.start()
        return self.gateway

    async def stop(self, seconds: float = 10) -> int:
        """It drains."""
        gateway, self.gateway = self.running, None
        return await gateway.drain(seconds)

    async def settled(self) -> None:
        """Wait until nothing waits in either box."""
        ledger = self.running.ledger

        def empty() -> bool:
            counts = ledger.counts()
            open_ = {**counts.inbox, **{f"out-{k}": v for k, v in counts.outbox.items()}}
            return not any(
                open_.get(state) for state in ("waiting", "working", "out-waiting", "out-sending")
            )

        await eventually(empty)


@asynccontextmanager
async def house(
    home: Path, config: str = "", *, person: ScriptedPlatform | None = None, **variables: str
) -> AsyncGenerator[House]:
    """A home with a gateway that runs until the block ends."""
    with ModelServer() as model:
        place = House(home, model, person or ScriptedPlatform(), config, **variables)
        await place.start()
        try:
            yield place
        finally:
            if place.gateway is not None:
                await place.stop(0)


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds that tells nobody when it does."""
    async with asyncio.timeout(LIMIT):
        while not holds():  # noqa: ASYNC110  the ledger tells nobody
            await asyncio.sleep(0.01)
