"""The home chat of each platform: where notices and jobs go."""

import msgspec

from hermes_agent.config.load import Loaded
from hermes_agent.domain.chats import Origin, Target
from hermes_agent.gateway.desk import Desk
from hermes_agent.gateway.platform_settings import home_channel


class Homes:
    """What the owner chose in a chat, else what the configuration says."""

    def __init__(self, loaded: Loaded, desk: Desk) -> None:
        self._loaded = loaded
        self._desk = desk
        self._chosen: dict[str, Target] = {}

    async def load(self, platforms: tuple[str, ...]) -> None:
        """Recall what was chosen before."""
        for platform in platforms:
            known = await self._desk.do(lambda ledger, p=platform: ledger.recall(_fact(p)))
            if known:
                self._chosen[platform] = msgspec.json.decode(known, type=Target)

    def of(self, platform: str) -> Target | None:
        """The home chat of this platform."""
        return self._chosen.get(platform) or home_channel(self._loaded, platform)

    def any(self, platform: str) -> Target | None:
        """The home chat of this platform, or of another when it has none."""
        here = self.of(platform)
        if here is not None:
            return here
        return next(iter(self._chosen.values()), None) or next(
            filter(None, map(self.of, self._loaded.config.platforms)), None
        )

    async def choose(self, origin: Origin) -> None:
        """From now on it is this chat."""
        value = msgspec.json.encode(origin.target).decode()
        await self._desk.do(lambda ledger: ledger.remember(_fact(origin.platform), value))
        self._chosen[origin.platform] = origin.target


def _fact(platform: str) -> str:
    return f"home.{platform}"
