"""The endpoints, put together."""

from collections.abc import Callable, Iterable

from hermes_agent.api.about import About
from hermes_agent.api.chat import Chat
from hermes_agent.api.door import Door
from hermes_agent.api.health import Health
from hermes_agent.api.job_routes import Jobs
from hermes_agent.api.jobs import JobsBoard
from hermes_agent.api.metrics import Metric
from hermes_agent.api.models import Models
from hermes_agent.api.openapi import OpenApi, document
from hermes_agent.api.response_store import FILE as RESPONSES
from hermes_agent.api.response_store import ResponseStore
from hermes_agent.api.responses import Responses
from hermes_agent.api.routes import Router
from hermes_agent.api.runs import Runs
from hermes_agent.api.sessions import Sessions
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
        self._responses = ResponseStore(settings.home / RESPONSES)
        self._turns = Turns(host, settings.max_turns)
        self._runs = Runs(settings, self._turns, self._shelf)
        about = About(settings, host, self._turns, health, metrics)
        openapi = OpenApi()
        endpoints = (
            Chat(settings, self._turns, self._shelf),
            Responses(settings, self._turns, self._shelf, self._responses),
            self._runs,
            Models(settings),
            Sessions(settings, self._shelf),
            Jobs(jobs),
            about,
            openapi,
        )
        router = Router(route for each in endpoints for route in each.routes())
        about.endpoints = [f"{route.method} {route.path}" for route in router.routes]
        openapi.document = document(router.routes)
        self.door = Door(settings, key, router, about.answered)

    async def close(self) -> None:
        """End the turns, each with its history whole."""
        await self._turns.close(self._settings.grace)
        await self._runs.close()

    async def release(self) -> None:
        """Give the files back, once no request runs any more."""
        await self._shelf.run(self._responses.close)
        self._shelf.close()
