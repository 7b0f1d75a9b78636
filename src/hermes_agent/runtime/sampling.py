"""Who answers MCP servers that ask for a model, and where that is counted.

It is `sampling.model` of the server; else a model that the server asks for and may have; else
`auxiliary.mcp`, else the configured model.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from hermes_agent.config.load import Loaded
from hermes_agent.config.schema.execution import McpSampling
from hermes_agent.domain.messages import Usage
from hermes_agent.domain.ports import Model
from hermes_agent.providers.choice import ModelChoice
from hermes_agent.runtime.models import choice_of, setting_of
from hermes_agent.runtime.second import choice_in
from hermes_agent.runtime.spending import treasury_of
from hermes_agent.sessions.metering import Metered
from hermes_agent.store.ids import new_session_id
from hermes_agent.store.journal import StoreThread, store_thread
from hermes_agent.store.opening import open_store
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Session

if TYPE_CHECKING:
    import httpx2

    from hermes_agent.bridges.mcp.sampling import Answerer
    from hermes_agent.sessions.treasury import Treasury

_T = TypeVar("_T")

SOURCE = "mcp"
"""The source of the session that the costs stand in."""


class Sampling:
    """For all servers of a process."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._client: httpx2.AsyncClient | None = None
        self._models: dict[str, Model] = {}
        self._sessions: dict[str, str] = {}
        self._store: SessionStore | None = None
        self._thread: StoreThread | None = None
        self._treasury: Treasury | None = None

    def answerer(self, name: str, settings: McpSampling) -> "Answerer":
        """What answers the server called `name`."""
        from hermes_agent.bridges.mcp.sampling import Answerer

        async def choose(hints: Sequence[str]) -> Model:
            asked = next((hint for hint in hints if hint in settings.allowed_models), "")
            model = await self._model(settings.model or asked)
            session = await self._do(lambda: self._session(name, model.name))
            return Metered(model, self._opened()[2], session=lambda: session, purpose="sampling")

        async def spend(model: str, usage: Usage) -> None:
            store, *_ = self._opened()
            await self._do(lambda: store.spent(self._session(name, model), usage))

        return Answerer(name, settings, choose, spend)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
        if self._thread is not None and self._store is not None:
            self._thread.shutdown()
            self._store.close()

    async def _model(self, name: str) -> Model:
        if name not in self._models:
            from hermes_agent.providers.build import build_model
            from hermes_agent.providers.discovery import settle
            from hermes_agent.providers.resolve import resolve

            target = resolve(self._choice(name), setting_of(self._loaded))
            if not target.model:
                target = await settle(target, self._connect)
            retries = self._loaded.config.agent.api_max_retries
            self._models[name] = build_model([target], self._connect, retries=retries)
        return self._models[name]

    def _choice(self, name: str) -> ModelChoice:
        task = self._loaded.config.auxiliary.mcp
        if name:
            return choice_of(self._loaded, name)
        return choice_in(self._loaded, task) or choice_of(self._loaded)

    def _connect(self) -> "httpx2.AsyncClient":
        if self._client is None:
            from hermes_agent.providers.http import open_client

            self._client = open_client(self._loaded.environ)
        return self._client

    def _session(self, server: str, model: str) -> str:
        """The one that stands for what a server asks for in this process."""
        session = self._sessions.get(server)
        if session is None:
            session = self._sessions[server] = new_session_id()
            store, *_ = self._opened()
            store.create(Session(id=session, source=SOURCE, user_id=server, model=model))
        return session

    def _opened(self) -> "tuple[SessionStore, StoreThread, Treasury]":
        """From the first request on: most servers ask for nothing."""
        if self._store is None or self._thread is None or self._treasury is None:
            self._store = open_store(self._loaded.paths.home)
            self._thread = store_thread()
            self._treasury = treasury_of(self._loaded, self._store, thread=self._thread)
        return self._store, self._thread, self._treasury

    async def _do(self, work: Callable[[], _T]) -> _T:
        _, thread, _ = self._opened()
        return await asyncio.get_running_loop().run_in_executor(thread, work)
