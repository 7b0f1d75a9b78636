"""What a daemon keeps from turn to turn: a place for each session, and the models."""

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec

from hermes_agent.config.load import Loaded
from hermes_agent.domain.ports import Model
from hermes_agent.runtime.models import ModelRoom
from hermes_agent.runtime.nobody import Nobody
from hermes_agent.runtime.switchboard import Switchboard
from hermes_agent.runtime.workplace import Workplace

if TYPE_CHECKING:
    import httpx2


class Room:
    """The place of one session, kept from turn to turn."""

    def __init__(self, name: str, work: Workplace, switchboard: Switchboard) -> None:
        self.name = name
        self.work = work
        self.switchboard = switchboard
        self.lock = asyncio.Lock()
        self.wanted = 0
        self.used = time.monotonic()

    @property
    def running(self) -> int:
        """Background processes."""
        return sum(each.exit_code is None for each in self.work.environment.processes.list())


class Chosen(msgspec.Struct, frozen=True):
    """A model, and what it wants that is not an ordinary one."""

    model: Model
    tool_names: tuple[str, ...]
    system_prompt: str | None


class Models:
    """Each model that was asked for, built once."""

    def __init__(self, loaded: Loaded, cwd: str) -> None:
        self._room = ModelRoom(loaded, Nobody(), offline=False, thorough=True, cwd=cwd)
        self._configured = loaded.config.model.default
        self._chosen: dict[str, Chosen] = {}
        self._lock = asyncio.Lock()

    async def choose(self, name: str) -> Chosen:
        """The one called `name`, empty for the configured one. Raises `ModelError`."""
        found = self._chosen.get(name)
        if found is not None:
            return found
        async with self._lock:
            if name not in self._chosen:
                model = await self._room.choose(name or None)
                self._chosen[name] = Chosen(model, self._room.tool_names, self._room.system_prompt)
            return self._chosen[name]

    def connect(self) -> "httpx2.AsyncClient":
        """The client of all of them."""
        return self._room.connect()

    async def close(self) -> None:
        """Close the connections."""
        await self._room.close()
