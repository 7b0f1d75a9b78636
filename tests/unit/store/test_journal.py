import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from hermes_agent.domain.errors import NotFoundError, StoreError
from hermes_agent.domain.messages import Message, ToolCall, ToolResult
from hermes_agent.store.journal import MOST_TOGETHER, SessionJournal, store_thread
from hermes_agent.store.records import Session
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


async def test_what_a_crowd_hands_over_is_stored_with_few_commits_and_each_hears_its_own(
    store: SqliteStore,
) -> None:
    thread = store_thread()
    gate = threading.Event()
    thread.submit(gate.wait)
    names = [f"s{number}" for number in range(3 * MOST_TOGETHER)]
    with counted_commits(store) as commits:
        stranger = asyncio.create_task(
            SessionJournal(store, "nobody", thread=thread).append(say("x"))
        )
        crowd = [
            asyncio.create_task(
                SessionJournal(store, name, thread=thread).begin(
                    Session(id=name, source="cli"), say(name)
                )
            )
            for name in names
        ]
        await asyncio.sleep(0)
        gate.set()
        begun = await asyncio.gather(*crowd)
        with pytest.raises(NotFoundError):
            await stranger
    assert [(row.id, message.content) for row, message in begun] == [(n, n) for n in names]
    assert len(commits) == 1 + len(names) // MOST_TOGETHER
    assert [store.history(name)[0].content for name in names] == names
    thread.shutdown()


async def test_other_work_of_the_thread_has_its_turn_in_a_crowd(store: SqliteStore) -> None:
    thread = store_thread()
    gate = threading.Event()
    thread.submit(gate.wait)
    journal = SessionJournal(store, "s", thread=thread)
    crowd = [asyncio.create_task(journal.append(say("x"))) for _ in range(3 * MOST_TOGETHER)]
    await asyncio.sleep(0)
    seen = asyncio.get_running_loop().run_in_executor(thread, lambda: len(store.history("s")))
    gate.set()
    assert await seen == MOST_TOGETHER
    await asyncio.gather(*crowd)
    assert len(store.history("s")) == 3 * MOST_TOGETHER
    thread.shutdown()


async def test_what_was_handed_over_before_the_shutdown_is_stored(store: SqliteStore) -> None:
    thread = store_thread()
    gate = threading.Event()
    thread.submit(gate.wait)
    journal = SessionJournal(store, "s", thread=thread)
    crowd = [asyncio.create_task(journal.append(say("x"))) for _ in range(3 * MOST_TOGETHER)]
    await asyncio.sleep(0)
    thread.shutdown(wait=False)
    gate.set()
    await asyncio.gather(*crowd)
    assert len(store.history("s")) == 3 * MOST_TOGETHER


async def test_a_crowd_whose_commit_fails_is_stored_one_by_one(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = store.together

    @contextmanager
    def failing() -> Generator[None]:
        with together():
            yield
            raise StoreError("no room for so much")

    monkeypatch.setattr(store, "together", failing)
    thread = store_thread()
    gate = threading.Event()
    thread.submit(gate.wait)
    journal = SessionJournal(store, "s", thread=thread)
    writing = [asyncio.create_task(journal.append(say(text))) for text in ("one", "two")]
    await asyncio.sleep(0)
    gate.set()
    stored = await asyncio.gather(*writing)
    assert store.history("s") == tuple(stored)
    assert [message.content for message in stored] == ["one", "two"]
    thread.shutdown()


async def test_a_session_whose_first_message_cannot_be_stored_is_not_made(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(session_id: str, message: Message) -> Message:
        raise StoreError("no room")

    monkeypatch.setattr(store, "append", refuse)
    journal = SessionJournal(store, "new")
    with pytest.raises(StoreError, match="no room"):
        await journal.begin(Session(id="new", source="cli"), say("hello"))
    with pytest.raises(NotFoundError):
        store.get("new")
    journal.close()


async def test_a_thread_that_was_shut_down_takes_nothing_more(store: SqliteStore) -> None:
    thread = store_thread()
    thread.shutdown()
    journal = SessionJournal(store, "s", thread=thread)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="shutdown"):
            await journal.append(say("late"))
    assert store.history("s") == ()


@contextmanager
def counted_commits(store: SqliteStore) -> Generator[list[str]]:
    """The commits to the file meanwhile."""
    found: list[str] = []
    connection = store._db._connection  # pyright: ignore[reportPrivateUsage] - nobody else knows

    def note() -> bool:
        found.append("commit")
        return False

    connection.set_commit_hook(note)
    yield found
    connection.set_commit_hook(None)
