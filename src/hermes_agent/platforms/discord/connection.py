"""discord.py's client, told where to connect and whom to tell what it hears."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hermes_agent.platforms.discord.library import Route, discord

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

    from hermes_agent.platforms.discord.configuration import Configuration

OFFICIAL_GATEWAY = "wss://gateway.discord.gg"
GUILDS_TIME = 0.5
"""Seconds after the last server was described when all are taken to be there."""

LONGEST_WAIT = 6.0
"""Seconds that a call sleeps for a rate limit itself; longer ones are for the courier."""

IDENTIFY_PAUSE = 5.0
MAX_CONNECTS = 10
CONNECTS_TIME = 60.0

Hearer = Callable[..., None]


class Connection(discord.Client):
    """Tells each event at once and in order to the one who hears it; events that nobody named are
    dropped. Keeps no messages and no members."""

    def __init__(self, configuration: "Configuration", hearers: Mapping[str, Hearer]) -> None:
        # There is no voice here, so nothing is missing.
        discord.VoiceClient.warn_nacl = False
        discord.VoiceClient.warn_dave = False
        super().__init__(
            intents=intents(),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=GUILDS_TIME,
            max_messages=None,
        )
        self._hearers = hearers
        self._connects: deque[float] = deque(maxlen=MAX_CONNECTS)
        # The constructor takes no less than 30 s, in which nobody else would get an answer.
        self.http.max_ratelimit_timeout = LONGEST_WAIT
        self._point_to(configuration.api_base, configuration.gateway_url)

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        hearer = self._hearers.get(event)
        if hearer is not None:
            hearer(*args)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if not initial:
            await asyncio.sleep(IDENTIFY_PAUSE)

    def _point_to(self, api_base: str, gateway_url: str) -> None:
        """On this instance alone: the library's own places are of the class."""
        http = self.http
        request, connect = http.request, http.ws_connect

        async def requested(route: Route, **kwargs: Any) -> Any:
            if api_base:
                route.url = api_base + route.url.removeprefix(Route.BASE)
            return await request(route, **kwargs)

        async def connected(url: str, **kwargs: Any) -> "ClientWebSocketResponse":
            self._not_too_often()
            if gateway_url and url.startswith(OFFICIAL_GATEWAY):
                url = gateway_url + url.removeprefix(OFFICIAL_GATEWAY)
            return await connect(url, **kwargs)

        http.request = requested
        http.ws_connect = connected

    def _not_too_often(self) -> None:
        """A gateway that takes us and throws us out again would be asked without any pause."""
        now = time.monotonic()
        if len(self._connects) == MAX_CONNECTS and now - self._connects[0] < CONNECTS_TIME:
            raise ConnectionError("Discord closes every connection at once.")
        self._connects.append(now)


def intents() -> "discord.Intents":
    """Servers, messages there and in private, and what is written in them."""
    return discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True)
