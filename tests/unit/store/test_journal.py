import asyncio
import threading
from pathlib import Path

import apsw
import pytest

from hermes_agent.domain.errors import NotFoundError
from hermes_agent.domain.messages import Message, ToolCall, ToolResult
from hermes_agent.store.journal import SessionJournal, store_thread
from hermes_agent.store.port import Session
from hermes_agent.store.sqlite.store import SqliteStore
from hermes_agent.store.sqlite.transaction import typed


@pytest.fixture
def store(tmp_path: Path):
    opened = SqliteStore.open(tmp_path / "state.db")
    opened.create(Session(id="s", source="cli"))
    yield opened
    opened.close()


def say(text: str) -> Message:
    return Message(role="user", content=text)


async def test_a_journal_stores_messages_and_calls(store: SqliteStore) -> None:
    journal = SessionJournal(store, "s")
    call = ToolCall("c", "terminal", "{}")
    stored = await journal.append(Message(role="assistant", tool_calls=(call,)))
    await journal.call_started(call)
    await journal.call_finished(ToolResult(call_id="c", name="terminal", content="out"))
    assert store.history("s") == (stored,)
    assert store.runs("s")[0].result == "out"
    journal.close()


async def test_the_stores_errors_reach_the_turn(store: SqliteStore) -> None:
    journal = SessionJournal(store, "nobody")
    with pytest.raises(NotFoundError):
        await journal.append(say("x"))
    journal.close()


async def test_a_database_that_others_hold_does_not_stop_the_event_loop(
    store: SqliteStore, tmp_path: Path
) -> None:
    other_file = apsw.Connection(str(tmp_path / "state.db"))
    other = typed(other_file)
    other.execute("BEGIN IMMEDIATE")
    journal = SessionJournal(store, "s")
    writing = asyncio.create_task(journal.append(say("waits")))
    turns = 0
    for _ in range(100):
        await asyncio.sleep(0)
        turns += 1
    assert turns == 100 and not writing.done()
    other.execute("ROLLBACK")
    assert (await writing).id is not None
    other_file.close()
    journal.close()


async def test_a_cancelled_append_is_stored_all_the_same_and_in_order(store: SqliteStore) -> None:
    thread = store_thread()
    gate = threading.Event()
    thread.submit(gate.wait)
    journal = SessionJournal(store, "s", thread=thread)
    first = asyncio.create_task(journal.append(say("first")))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.create_task(journal.append(say("second")))
    gate.set()
    await second
    assert [message.content for message in store.history("s")] == ["first", "second"]
    journal.close()
    assert thread.submit(int).result() == 0, "a shared thread outlives the journal"
    thread.shutdown()
