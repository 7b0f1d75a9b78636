"""The stream of what happens: https://spec.matrix.org/latest/client-server-api/#syncing.

The place in the stream moves only after everything before it was stored.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from hermes_agent.domain.errors import StoreError
from hermes_agent.platforms.base import Door, PlatformDown
from hermes_agent.platforms.matrix.client import Client, Refused
from hermes_agent.platforms.matrix.fields import Json, events, mapping, text
from hermes_agent.platforms.matrix.history import TYPES, said
from hermes_agent.platforms.matrix.invitations import Invitations
from hermes_agent.platforms.matrix.rooms import Rooms
from hermes_agent.platforms.matrix.taking import Taking

SINCE = "since"
AT_ONCE = 8
"""Rooms whose messages are taken side by side."""

GIVE_UP = 60.0
"""Seconds without the homeserver after which the connection counts as lost."""

GRACE = 1.0
"""Seconds that a message in hand is given to be stored when we are told to end."""

FIRST_PAUSE, MAX_PAUSE = 0.2, 15.0
_NOTHING = {"not_types": ["*"]}
_log = logging.getLogger(__name__)


class Hearing(Protocol):
    """Hears every answer before anybody else, for the keys in it."""

    async def heard(self, answer: Json) -> None:
        """Raises `PlatformDown` and `PlatformRefused`."""
        ...


class Syncing:
    """One account's stream, from where an earlier life of us left it."""

    def __init__(
        self,
        client: Client,
        rooms: Rooms,
        invitations: Invitations,
        taking: Taking,
        door: Door,
        me: str,
        *,
        wait: float,
        hearing: Hearing | None,
    ) -> None:
        self._client = client
        self._rooms = rooms
        self._invitations = invitations
        self._taking = taking
        self._door = door
        self._me = me
        self._wait = wait
        self._hearing = hearing
        self._since = ""
        self._full = hearing is not None

    async def run(self, ready: Callable[[], None]) -> None:
        """Until cancelled. Raises `PlatformDown` and `PlatformRefused`."""
        owner, _, kept = (await self._door.recall(SINCE) or "").partition(" ")
        self._since = kept if owner == self._me else ""
        if not self._since:
            await self._again(self._begin)
        await self._again(self._invitations.begin)
        told = False

        async def once() -> None:
            nonlocal told
            answer = await self._asked(wait=self._wait if told else 0.0)
            if not told:
                told = True
                ready()
            await self._finish(answer)

        while True:
            await self._again(once)

    async def _begin(self) -> None:
        """The first time of all: from now on."""
        answer = await self._asked(wait=0.0, first=True)
        await self._move(text(answer, "next_batch"))
        await self._invitations.take(mapping(answer, "rooms", "invite"), {})

    async def _finish(self, answer: Json) -> None:
        """Take it; who is cancelled meanwhile goes on a little, so that less comes again."""
        taking = asyncio.create_task(self._take(answer))
        try:
            await asyncio.shield(taking)
        except asyncio.CancelledError:
            await asyncio.wait((taking,), timeout=GRACE)
            raise
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    async def _take(self, answer: Json) -> None:
        if self._hearing is not None:
            await self._hearing.heard(answer)
            self._full = False
            if events(answer, "to_device", "events"):
                await self._taking.keys_came()
        rooms = mapping(answer, "rooms")
        await self._invitations.take(mapping(rooms, "invite"), mapping(rooms, "leave"))
        for ident in mapping(rooms, "leave"):
            self._rooms.forget(ident)
        places = asyncio.Semaphore(AT_ONCE)
        joined = mapping(rooms, "join")

        async def room(ident: str) -> None:
            async with places:
                await self._take_room(ident, mapping(joined, ident))

        await _together([room(ident) for ident in joined])
        await self._move(text(answer, "next_batch"))

    async def _take_room(self, ident: str, joined: Json) -> None:
        if mapping(joined, "timeline").get("limited") is True:
            self._rooms.forget(ident)
        for event in events(joined, "state", "events"):
            self._rooms.happened(ident, event)
        happened = await said(self._client, ident, joined, self._since, self._me)
        await self._taking.take(ident, happened)

    async def _move(self, since: str) -> None:
        if not since or since == self._since:
            return
        pause = FIRST_PAUSE
        while True:
            try:
                await self._door.remember(SINCE, f"{self._me} {since}")
                break
            except StoreError as error:
                _log.warning("matrix: the place in the stream could not be kept: %s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_PAUSE)
        self._since = since

    async def _asked(self, *, wait: float, first: bool = False) -> Json:
        query = {
            "filter": json.dumps(_filter(1 if first else 50, lazy=self._hearing is None)),
            "timeout": str(int(wait * 1000)),
            "set_presence": "online",
        }
        if self._since:
            query["since"] = self._since
        if self._full and not first:
            query["full_state"] = "true"
        try:
            answer = await self._client.call("GET", "sync", query=query, silence=wait + 60.0)
        except Refused as error:
            if not self._since or error.status not in (400, 404):
                raise PlatformDown(str(error)) from error
            _log.warning("matrix: the place in the stream is gone, going on from now: %s", error)
            self._since = ""
            await self._begin()
            return await self._asked(wait=0.0)
        if not text(answer, "next_batch"):
            raise PlatformDown("What answers is no homeserver of Matrix's.")
        return answer

    async def _again(self, doing: Callable[[], Awaitable[None]]) -> None:
        """Do it, over short failures of the connection."""
        began, pause = time.monotonic(), FIRST_PAUSE
        while True:
            try:
                return await doing()
            except PlatformDown as error:
                wait = error.retry_after or pause
                if time.monotonic() + wait - began > GIVE_UP:
                    raise
                _log.warning("matrix: %s", error)
                await asyncio.sleep(wait)
                pause = min(pause * 2, MAX_PAUSE)


def _filter(limit: int, *, lazy: bool) -> Json:
    """`lazy` leaves out members who say nothing; who encrypts needs them all."""
    members = {"types": ["m.room.member", "m.room.name", "m.room.encryption"]}
    timeline: Json = {"limit": limit, "types": list(TYPES), "lazy_load_members": lazy}
    return {
        "presence": _NOTHING,
        "account_data": _NOTHING,
        "room": {
            "timeline": timeline,
            "state": members | {"lazy_load_members": lazy},
            "ephemeral": _NOTHING,
            "account_data": _NOTHING,
        },
    }


async def _together(works: list[Coroutine[Any, Any, None]]) -> None:
    """All of them; the first failure ends the others."""
    tasks = [asyncio.create_task(work) for work in works]
    if not tasks:
        return
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()
