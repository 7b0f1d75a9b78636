"""`hermes mcp serve`: what other programs get of this home."""

import asyncio
from pathlib import Path

from hermes_agent.agent.control import Control
from hermes_agent.bridges.mcp.serving import Rows, Served, server_of
from hermes_agent.config.load import Loaded
from hermes_agent.domain.errors import HermesError, UsageError
from hermes_agent.domain.events import BudgetSpent, Completed, Ending, Event, Failed
from hermes_agent.knowledge.recall import as_data
from hermes_agent.runtime.host import SessionHost
from hermes_agent.runtime.keeping import recall_for, seed_skills
from hermes_agent.sessions.host import Opening
from hermes_agent.store.ids import new_session_id
from hermes_agent.store.journal import store_thread
from hermes_agent.store.opening import open_store

SOURCE = "mcp"
PLATFORM = "cli"
"""Whose tools the agent has here: who starts us has this machine anyway."""


async def serve(loaded: Loaded) -> None:
    """Until standard input ends."""
    seed_skills(loaded)
    store = open_store(loaded.paths.home)
    thread = store_thread()
    host = SessionHost(loaded, store, cwd=Path.cwd(), thread=thread)
    recall = recall_for(store, "", source="", user_id=None, everything=True)

    async def latest(limit: int) -> Rows:
        return as_data(await asyncio.to_thread(lambda: recall.recent(limit=limit)))

    async def read(session: str, message: int | None) -> Rows:
        found = await asyncio.to_thread(lambda: store.resolve(session))
        return as_data(await asyncio.to_thread(lambda: recall.around(found.id, message)))

    async def search(query: str, limit: int) -> Rows:
        return as_data(await asyncio.to_thread(lambda: recall.search(query, limit=limit)))

    async def ask(text: str, session: str) -> dict[str, str]:
        if not text.strip():
            raise UsageError("There is nothing to answer.")
        name = (await asyncio.to_thread(lambda: store.resolve(session))).id if session else ""
        opening = Opening(
            session_id=name or new_session_id(),
            fresh=not name,
            source=SOURCE,
            platform=PLATFORM,
            recalls_all=True,
        )
        async with host.open(opening) as live:
            ended = await live.run(text, Control(), _unheard)
            answer = host.premises.redact(_said(ended.ending))
            return {"answer": answer, "session": live.id}

    try:
        await server_of(Served(latest=latest, read=read, search=search, ask=ask)).run_stdio_async()
    finally:
        await host.close()
        thread.shutdown()
        store.close()


def _said(ending: Ending) -> str:
    match ending:
        case Completed(message=message):
            return message.content
        case BudgetSpent(message=message) if message is not None:
            return message.content
        case Failed(message=why):
            raise HermesError(f"The agent gave no answer: {why}")
        case _:
            raise HermesError("The agent gave no answer.")


def _unheard(event: Event) -> None:
    del event
