"""The sessions of a daemon: many side by side in one process, each with a place of its own."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hermes_agent.config.load import Loaded
from hermes_agent.context.prompt import Piece, Prompt
from hermes_agent.domain.errors import NotFoundError
from hermes_agent.domain.messages import Message
from hermes_agent.domain.model import Effort, ToolSpec
from hermes_agent.domain.ports import Jobs, Toolbox
from hermes_agent.policy.askers import NobodyToAsk
from hermes_agent.runtime.agency import Agency
from hermes_agent.runtime.compacting import compactor_of
from hermes_agent.runtime.delegation import Delegation
from hermes_agent.runtime.keeping import offered, recall_for, skill_shelf
from hermes_agent.runtime.prompting import Prompting
from hermes_agent.runtime.reviewing import reviews_of
from hermes_agent.runtime.rooms import Chosen, Models, Room
from hermes_agent.runtime.spending import treasury_of
from hermes_agent.runtime.switchboard import Switchboard
from hermes_agent.runtime.workplace import Premises, Workplace
from hermes_agent.sessions.host import Opening
from hermes_agent.sessions.live import Choices, LiveSession
from hermes_agent.sessions.locks import SessionLocks
from hermes_agent.store.journal import StoreThread
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import COMPRESSION, Session

if TYPE_CHECKING:
    import httpx2

REAP_SECONDS = 30.0


class SessionHost:
    """The port `Host`. `cwd` is where commands of new sessions begin.

    Blocking work of the store is done in `thread`, for all sessions.
    """

    def __init__(
        self,
        loaded: Loaded,
        store: SessionStore,
        *,
        cwd: Path,
        thread: StoreThread,
        jobs: Jobs | None = None,
    ) -> None:
        self.premises = Premises(loaded)
        self._loaded = loaded
        self._store = store
        self._cwd = cwd
        self._thread = thread
        self._jobs = jobs
        self._locks = SessionLocks(loaded.paths.sessions_dir)
        self._models = Models(loaded, str(cwd))
        self._compactor = compactor_of(loaded, self._models.connect, self.premises.redact)
        self._treasury = treasury_of(loaded, store, thread=thread)
        self.reviews = reviews_of(
            loaded,
            store,
            thread=thread,
            connect=self._models.connect,
            redact=self.premises.redact,
            treasury=self._treasury,
        )
        self._agency = Agency(
            loaded,
            store,
            locks=self._locks,
            compactor=self._compactor,
            thread=thread,
            connect=self._models.connect,
            treasury=self._treasury,
        )
        self._rooms: dict[str, Room] = {}
        self._specs: dict[str, tuple[ToolSpec, ...]] = {}

    @asynccontextmanager
    async def open(self, opening: Opening) -> AsyncGenerator[LiveSession]:
        """See `Host.open`."""
        while True:
            try:
                async with self._opened(opening) as live:
                    yield live
                return
            except _WentOn as child:
                opening = msgspec.structs.replace(opening, session_id=child.session_id)

    @asynccontextmanager
    async def _opened(self, opening: Opening) -> AsyncGenerator[LiveSession]:
        """Raises `_WentOn` before anything was done when the session goes on in a child."""
        room = self._room(opening)
        self.reviews.stop(opening.session_id)
        room.wanted += 1
        try:
            async with room.lock:
                self._locks.take(opening.session_id)
                room.switchboard.connect(opening.asker)
                try:
                    live = await self._live(opening, room)
                except BaseException:
                    self._locks.release(opening.session_id)
                    raise
                try:
                    yield live
                finally:
                    live.close()
                    if live.answered and opening.recalls_all:
                        self.reviews.after(live, chat=opening.chat)
                    room.switchboard.connect(None)
                    room.used = time.monotonic()
        finally:
            room.wanted -= 1
            if not room.wanted and not room.work.environment.used:
                # Nothing happened there that a later turn could want to find.
                if self._rooms.get(room.name) is room:
                    del self._rooms[room.name]
                await room.work.environment.close()

    def _moved(self, parent: str, child: str) -> None:
        """A session went on in a child: its place goes with it."""
        self.reviews.shortened(parent, child)
        room = self._rooms.pop(parent, None)
        if room is not None:
            room.name = child
            self._rooms[child] = room

    async def specs(self, platform: str) -> tuple[ToolSpec, ...]:
        """See `Host.specs`."""
        if platform not in self._specs:
            place = Workplace(self.premises, cwd=self._cwd, asker=NobodyToAsk(), notify=_unheard)
            recall = recall_for(self._store, "", source="", user_id=None, everything=False)
            toolbox = place.toolbox(
                can_ask=True,
                platform=platform,
                jobs=self._jobs,
                recall=recall,
                delegate=Delegation(self._agency, place, platform=platform),
            )
            self._specs[platform] = toolbox.specs()
            await place.environment.close()
        return self._specs[platform]

    async def skills(self, platform: str) -> Mapping[str, str]:
        """See `Host.skills`."""
        tools = offered([spec.name for spec in await self.specs(platform)])
        shelf = skill_shelf(self._loaded, platform)
        return {skill.name: skill.description for skill in shelf.offered(tools)}

    async def model_name(self) -> str:
        """See `Host.model_name`."""
        return (await self._models.choose("")).model.name

    def connect(self) -> "httpx2.AsyncClient":
        """The one HTTP client of the process."""
        return self._models.connect()

    async def check_model(self, name: str) -> str:
        """What the model that is asked for by `name` is called. Raises `ModelError`."""
        return (await self._models.choose(name)).model.name

    async def change_personality(self, session_id: str, name: str) -> None:
        """Another manner from the session's next turn on. Raises `UsageError`."""
        async with self.open(Opening(session_id=session_id, source="", asker=None)) as live:
            room = self._rooms[live.id]
            prompting = Prompting(self._loaded, room.work, entrance=live.row.source)
            prompting.choose(name)
            chosen = await self._models.choose("")
            tools = {spec.name for spec in live.toolbox.specs()}
            prompt = prompting.build(live.id, tools, whole=chosen.system_prompt)
            live.change_prompt(prompt.text)

    def processes(self, session_id: str) -> int:
        """How many background processes the session has running."""
        room = self._rooms.get(session_id)
        return room.running if room else 0

    async def kill_processes(self, session_id: str) -> int:
        """End them; returns how many there were."""
        room = self._rooms.get(session_id)
        if room is None:
            return 0
        processes = room.work.environment.processes
        running = [each for each in processes.list() if each.exit_code is None]
        for each in running:
            await processes.kill(each.id)
        return len(running)

    async def reap(self, now: float | None = None) -> None:
        """Give back the places that nobody used for a while and where nothing runs."""
        at = time.monotonic() if now is None else now
        limit = self._loaded.config.terminal.lifetime_seconds
        for name, room in list(self._rooms.items()):
            if at - room.used > limit and not room.lock.locked() and not room.running:
                del self._rooms[name]
                await room.work.environment.close()

    async def close(self) -> None:
        """End what runs, give everything back."""
        await self.reviews.close()
        for room in self._rooms.values():
            await room.work.environment.close()
        self._rooms.clear()
        await self.premises.servers.close()
        await self._models.close()

    def _room(self, opening: Opening) -> Room:
        room = self._rooms.get(opening.session_id)
        if room is None:
            switchboard = Switchboard()
            work = Workplace(
                self.premises,
                cwd=Path(opening.workdir) if opening.workdir else self._cwd,
                asker=switchboard,
                notify=_unheard,
            )
            room = Room(opening.session_id, work, switchboard)
            self._rooms[room.name] = room
        return room

    async def _live(self, opening: Opening, room: Room) -> LiveSession:
        row, history = (None, ()) if opening.fresh else await self._stored(opening.session_id)
        chosen = await self._models.choose(opening.model)
        delegation = Delegation(self._agency, room.work, platform=_platform(opening))
        toolbox = room.work.toolbox(
            names=chosen.tool_names,
            history=history,
            can_ask=opening.asker is not None,
            platform=_platform(opening),
            toolsets=opening.toolsets or None,
            without=opening.without,
            jobs=self._jobs,
            chat=opening.chat,
            delegate=delegation,
            recall=recall_for(
                self._store,
                opening.session_id,
                source=opening.source,
                user_id=opening.user_id,
                everything=opening.recalls_all,
            ),
        )
        system = (row and row.system_prompt) or self._prompt(opening, room, chosen, toolbox).text
        config = self._loaded.config
        effort: Effort | None = opening.effort or config.agent.reasoning_effort or None
        live = LiveSession(
            store=self._store,
            locks=self._locks,
            row=row
            or Session(
                id=opening.session_id,
                source=opening.source,
                user_id=opening.user_id,
                model=chosen.model.name,
                system_prompt=system,
            ),
            stored=row is not None,
            system=system,
            model=chosen.model,
            toolbox=toolbox,
            choices=Choices(
                max_iterations=opening.max_iterations or config.agent.max_turns,
                effort=effort,
                temperature=opening.temperature,
                overlay=opening.overlay,
                before=opening.before,
            ),
            history=history,
            thread=self._thread,
            compactor=self._compactor,
            on_child=self._moved,
            treasury=self._treasury,
        )
        delegation.attach(live)
        toolbox.journal = live.journal
        return live

    async def _stored(self, session_id: str) -> tuple[Session | None, tuple[Message, ...]]:
        def read() -> tuple[Session | None, tuple[Message, ...]]:
            try:
                row = self._store.get(session_id)
            except NotFoundError:
                return None, ()
            newest = self._store.tip(session_id) if row.end_reason == COMPRESSION else session_id
            if newest != session_id:
                raise _WentOn(newest)
            if row.ended_at is not None:
                self._store.reopen(session_id)
            return row, self._store.repair(session_id).history

        return await asyncio.get_running_loop().run_in_executor(self._thread, read)

    def _prompt(self, opening: Opening, room: Room, chosen: Chosen, toolbox: Toolbox) -> Prompt:
        tools = {spec.name for spec in toolbox.specs()}
        prompting = Prompting(self._loaded, room.work, entrance=opening.source)
        prompt = prompting.build(opening.session_id, tools, whole=chosen.system_prompt)
        note = (Piece("entrance", opening.note),) if opening.note else ()
        return Prompt((*prompt.pieces, *note))


class _WentOn(Exception):
    """The session goes on in another one."""

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id)
        self.session_id = session_id


def _platform(opening: Opening) -> str:
    return opening.platform or opening.source


def _unheard(text: str) -> None:
    import logging

    logging.getLogger(__name__).info("%s", text)
