"""Which session a chat is in: the route, its reset, and what its people chose for it."""

import asyncio
import secrets
import time
from collections.abc import Callable, Collection
from concurrent.futures import Executor
from datetime import tzinfo
from typing import TypeVar

import msgspec

from hermes_agent.config.schema import Config
from hermes_agent.domain.chats import Origin
from hermes_agent.sessions.reset import Reset, due
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Route

_T = TypeVar("_T")

RESET_END = "session_reset"
"""The documented reason of a session that a chat left."""


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """The route to take. `reset` says why it leads to a new session, `left` which one it led to."""

    route: Route
    reset: Reset | None = None
    left: str | None = None


class Routing:
    """The routes of one home. `running(session_id)` counts background processes: a session that
    has any is never left by itself."""

    def __init__(
        self,
        store: SessionStore,
        thread: Executor,
        config: Config,
        *,
        zone: tzinfo | None,
        running: Callable[[str], int],
    ) -> None:
        self._store = store
        self._thread = thread
        self._config = config
        self._zone = zone
        self._running = running

    async def enter(self, key: str, origin: Origin, turn: str) -> Entered:
        """The route of a message: that of its turn if it was begun before a crash, else that of
        its chat, else a new one."""
        return await self._call(lambda: self._enter(key, origin, turn))

    def _enter(self, key: str, origin: Origin, turn: str) -> Entered:
        now = time.time()
        begun = self._store.of_turn(turn)
        found = self._store.route(key)
        if found is None:
            session_id = begun.session_id if begun else new_id()
            route = Route(
                session_key=key,
                session_id=session_id,
                created_at=now,
                updated_at=now,
                origin=origin,
            )
            self._store.save_route(route)
            return Entered(route=route)
        if begun is not None:
            return Entered(route=msgspec.structs.replace(found, session_id=begun.session_id))
        reset = due(self._config.session_reset, last=found.updated_at, now=now, zone=self._zone)
        if reset is not None and self._running(found.session_id):
            reset = None
        if reset is not None:
            self._leave(found)
        route = msgspec.structs.replace(
            found,
            session_id=new_id() if reset else found.session_id,
            updated_at=now,
            origin=origin,
        )
        self._store.save_route(route)
        return Entered(route=route, reset=reset, left=found.session_id if reset else None)

    async def expired(self, sessions: Collection[str]) -> tuple[str, ...]:
        """Those of the sessions that the next message of their chat will not find any more."""
        policy, now = self._config.session_reset, time.time()
        routes = await self._call(self._store.routes)
        return tuple(
            route.session_id
            for route in routes
            if route.session_id in sessions
            and due(policy, last=route.updated_at, now=now, zone=self._zone)
            and not self._running(route.session_id)
        )

    async def begun(self, turn: str) -> bool:
        """Whether this turn's message is stored already, from before a crash."""
        return await self._call(lambda: self._store.of_turn(turn) is not None)

    async def find(self, key: str) -> Route | None:
        """The route of a chat, if it has one."""
        return await self._call(lambda: self._store.route(key))

    async def anew(self, key: str, origin: Origin) -> Route:
        """A new session for the chat; its choices stay."""
        return await self.lead(key, origin, new_id())

    async def lead(self, key: str, origin: Origin, session_id: str) -> Route:
        """From now on the chat is in this session."""

        def write() -> Route:
            now = time.time()
            found = self._store.route(key)
            if found is not None and found.session_id != session_id:
                self._leave(found)
            route = Route(
                session_key=key,
                session_id=session_id,
                created_at=found.created_at if found else now,
                updated_at=now,
                origin=origin,
                choices=found.choices if found else {},
            )
            self._store.save_route(route)
            return route

        return await self._call(write)

    async def choose(self, key: str, origin: Origin, **choices: str | None) -> Route:
        """Change choices of the chat; None takes one back."""

        def write() -> Route:
            now = time.time()
            found = self._store.route(key) or Route(
                session_key=key, session_id=new_id(), created_at=now, updated_at=now, origin=origin
            )
            kept = {**found.choices, **{name: v for name, v in choices.items() if v is not None}}
            for name, value in choices.items():
                if value is None:
                    kept.pop(name, None)
            route = msgspec.structs.replace(found, choices=kept)
            self._store.save_route(route)
            return route

        return await self._call(write)

    def _leave(self, route: Route) -> None:
        from hermes_agent.domain.errors import NotFoundError

        try:
            self._store.end(route.session_id, RESET_END)
        except NotFoundError:
            return

    async def _call(self, work: Callable[[], _T]) -> _T:
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))


def new_id() -> str:
    """The documented form of a chat's session id: eight hexadecimal digits."""
    return secrets.token_hex(4)
