"""Talks in a session that keeps being shortened, says what was answered, and dies when told to.

`python -m tests.integration.compaction_talker FOLDER MOMENT TURNS`; the moment is one of `MOMENTS`
in test_compaction_crash.py, or empty.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hermes_agent.domain.messages import Message, ToolCall
from hermes_agent.domain.model import Request
from hermes_agent.sessions.live import LiveSession
from hermes_agent.store.sqlite import compaction
from hermes_agent.store.sqlite.queries import load
from hermes_agent.store.sqlite.store import SqliteStore
from tests.integration.compaction_place import Place, RuledModel, is_summary, notes, says

MOMENT = sys.argv[2]
TALK = "Some more words about it. " * 40


def die_at(moment: str) -> None:
    """Now, if that was the moment."""
    if moment == MOMENT:
        os.kill(os.getpid(), signal.SIGKILL)


def rule(request: Request) -> Message:
    """Calls a tool at every turn, then answers."""
    if is_summary(request):
        die_at("summary-asked")
        return says(notes(facts="many"))
    if request.messages[-1].role == "user":
        name = f"c{len(request.messages)}"
        return says("Looking.", ToolCall(name, "terminal", "{}"), ToolCall(f"{name}b", "x", "{}"))
    return says("Done. " + TALK)


def watch_the_change() -> None:
    """Dies between its statements."""
    succeed, live_succeed = compaction.succeed, LiveSession.succeed

    def succeeding(db: Any, parent: str, child: str, kept: Sequence[Message]) -> Any:
        watched: Any = Watched(db)
        return succeed(watched, parent, child, kept)

    async def changing(self: LiveSession, kept: Sequence[Message]) -> None:
        die_at("summary-written")
        await live_succeed(self, kept)
        die_at("committed")

    compaction.succeed = succeeding
    LiveSession.succeed = changing


class Watched:
    """A transaction that notices how far the change has come."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self._copied = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def execute(self, sql: str, values: Any = None) -> Any:
        if sql == load("messages")["insert"]:
            die_at(f"copied-{self._copied}")
            self._copied += 1
        if sql == load("compaction")["end_parent"]:
            die_at("copied-last")
        done = self._db.execute(sql, values)
        if sql == load("compaction")["end_parent"]:
            die_at("parent-ended")
        return done


async def talk(place: Place, turns: int) -> None:
    """Goes on from where the last one was killed."""
    start = sum(m.role == "user" for row in place.store.list() for m in place.store.history(row.id))
    for number in range(start, start + turns):
        fact = f"fact{os.getpid()}x{number}"
        await place.say(f"{fact} {TALK}")
        print(fact, flush=True)


def main() -> None:
    folder = Path(sys.argv[1])
    watch_the_change()
    store = SqliteStore.open(folder / "state.db")
    place = Place(store, folder / "locks", RuledModel(rule, window=12_000))
    asyncio.run(talk(place, int(sys.argv[3])))
    store.close()


if __name__ == "__main__":
    main()
