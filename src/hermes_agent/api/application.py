"""The endpoints, put together."""

from collections.abc import Callable, Iterable

from hermes_agent.api.chat import Chat
from hermes_agent.api.door import Door
from hermes_agent.api.health import Health
from hermes_agent.api.jobs import JobsBoard
from hermes_agent.api.metrics import Metric
from hermes_agent.api.models import Models
from hermes_agent.api.routes import Router
from hermes_agent.api.settings import ApiSettings
from hermes_agent.api.shelf import Shelf
from hermes_agent.api.turns import Turns
from hermes_agent.config.secret import Secret
from hermes_agent.sessions.host import Host
from hermes_agent.store.port import SessionStore


class Application:
    """`door` is what the HTTP server calls."""

    def __init__(
        self,
        settings: ApiSettings,
        key: Secret,
        *,
        host: Host,
        store: SessionStore,
        jobs: JobsBoard | None,
        health: Callable[[], Health],
        metrics: Callable[[], Iterable[Metric]],
    ) -> None:
        self._settings = settings
        self._shelf = Shelf(store)
        self._turns = Turns(host, settings.max_turns)
        endpoints = (
            Chat(settings, self._turns, self._shelf),
            Models(settings),
        )
        self.door = Door(
            settings, key, Router(route for each in endpoints for route in each.routes())
        )

    async def close(self) -> None:
        """End the turns, each with its history whole."""
        await self._turns.close(self._settings.grace)
        self._shelf.close()
