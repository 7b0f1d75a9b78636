"""What a store promises of sessions."""

import time

import msgspec
import pytest

from hermes_agent.domain.errors import NotFoundError, StoreError, TitleTaken
from hermes_agent.domain.messages import Message
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Filters, Session, SessionChange


def said(store: SessionStore, session_id: str, text: str, at: float) -> None:
    store.append(session_id, Message(role="user", content=text, timestamp=at))


def make(store: SessionStore, session_id: str, source: str = "cli", **fields: object) -> Session:
    base = Session(id=session_id, source=source, started_at=1000.0)
    return store.create(msgspec.structs.replace(base, **fields))


def test_every_field_of_a_session_comes_back(store: SessionStore) -> None:
    make(store, "parent")
    session = Session(
        id="child",
        source="telegram",
        user_id="7",
        model="some/model",
        model_config='{"temperature": 0}',
        system_prompt="You are…\n",
        parent_session_id="parent",
        started_at=1.5,
        billing_provider="openrouter",
        billing_base_url="https://openrouter.example/api",
        billing_mode="key",
        estimated_cost_usd=0.25,
        actual_cost_usd=0.5,
        cost_status="known",
        cost_source="vendor",
        pricing_version="2026-01",
        title="A child",
    )
    assert store.create(session) == session
    assert store.get("child") == session


def test_a_session_without_a_start_begins_now(store: SessionStore) -> None:
    before = time.time()
    assert before <= store.create(Session(id="a", source="cli")).started_at <= time.time()


def test_an_id_is_given_once(store: SessionStore, session: str) -> None:
    with pytest.raises(StoreError, match=session):
        store.create(Session(id=session, source="cli"))


def test_a_parent_must_exist(store: SessionStore) -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        store.create(Session(id="a", source="cli", parent_session_id="nobody"))
    assert store.list() == ()


def test_an_unknown_session_is_not_found_by_any_method(store: SessionStore) -> None:
    for method in (store.get, store.history, store.repair, store.delete, store.reopen):
        with pytest.raises(NotFoundError, match="nobody"):
            method("nobody")
    with pytest.raises(NotFoundError, match="nobody"):
        store.append("nobody", Message(role="user", content="hello"))


@pytest.mark.parametrize("name", ["20260301_101500_abc123", "20260301", "My Plans", "my plans"])
def test_a_session_is_found_by_id_beginning_and_title(
    store: SessionStore, session: str, name: str
) -> None:
    make(store, "other")
    store.rename(session, "My Plans")
    assert store.resolve(name).id == session


def test_an_ambiguous_name_is_not_found_and_the_hint_names_the_candidates(
    store: SessionStore,
) -> None:
    make(store, "2026_a", title="first")
    make(store, "2026_b")
    with pytest.raises(NotFoundError) as caught:
        store.resolve("2026")
    assert caught.value.hint == "One of: 2026_a (first), 2026_b"


def test_an_unknown_name_is_not_found_and_near_titles_are_named(store: SessionStore) -> None:
    make(store, "a", title="Summer plans")
    with pytest.raises(NotFoundError) as caught:
        store.resolve("PLANS")
    assert caught.value.hint is not None
    assert "a (Summer plans)" in caught.value.hint


@pytest.mark.parametrize("name", ["", "  ", "%", "_", "\x00", "\ud800", "'; --"])
def test_a_strange_name_is_just_not_found(store: SessionStore, session: str, name: str) -> None:
    with pytest.raises(NotFoundError):
        store.resolve(name)


def test_a_title_is_cleaned_and_belongs_to_one_session(store: SessionStore) -> None:
    make(store, "a")
    make(store, "b")
    assert store.rename("a", " Two\u200b \n words\x1b ") == "Two words"
    with pytest.raises(TitleTaken, match="a"):
        store.rename("b", "Two words")
    assert store.rename("a", "Two words") == "Two words"
    assert store.rename("a", None) is None
    assert store.rename("b", "Two words") == "Two words"


def test_a_lineage_counts_on_and_long_titles_stay_valid(store: SessionStore) -> None:
    make(store, "a", title="Plans")
    assert store.next_title("Plans") == "Plans #2"
    make(store, "b", title="Plans #2")
    make(store, "c", title="Plans #9")
    assert store.next_title("Plans #2") == "Plans #10"
    assert store.next_title("x" * 200) == "x" * 97 + " #2"


def test_the_latest_session_is_the_one_that_spoke_last(store: SessionStore) -> None:
    assert store.latest() is None
    make(store, "old")
    make(store, "chat", "telegram")
    make(store, "silent")
    said(store, "chat", "hello", 5000.0)
    said(store, "old", "hello again", 6000.0)
    latest = store.latest()
    assert latest is not None and latest.id == "old"
    by_source = store.latest("telegram")
    assert by_source is not None and by_source.id == "chat"
    assert store.latest("cron") is None


def test_a_list_has_the_last_active_first_and_a_preview(store: SessionStore) -> None:
    make(store, "a")
    make(store, "b", "telegram", started_at=2000.0)
    make(store, "c", started_at=3000.0)
    said(store, "a", "first\n  question", 9000.0)
    said(store, "a", "second question", 9001.0)
    listed = store.list()
    assert [line.id for line in listed] == ["a", "c", "b"]
    assert (listed[0].preview, listed[0].last_active) == ("first question", 9001.0)
    assert (listed[1].preview, listed[1].last_active) == ("", 3000.0)


def test_a_list_is_filtered(store: SessionStore) -> None:
    make(store, "a")
    make(store, "b", "telegram", started_at=2000.0)
    make(store, "c", started_at=3000.0)
    store.end("c", "done")
    said(store, "a", "hello", 1001.0)

    def ids(limit: int | None = None, **filters: object) -> set[str]:
        return {line.id for line in store.list(msgspec.convert(filters, Filters), limit=limit)}

    assert ids(source="telegram") == {"b"}
    assert ids(since=2000.0) == {"b", "c"}
    assert ids(before=2000.0) == {"a"}
    assert ids(ended=True) == {"c"}
    assert ids(ended=False) == {"a", "b"}
    assert ids(with_messages=True) == {"a"}
    assert ids(limit=1) == {"c"}


def test_an_update_sets_only_what_it_names(store: SessionStore, session: str) -> None:
    store.update(session, SessionChange(model="one", system_prompt="be\ud800 brief"))
    store.update(session, SessionChange(cost_status="estimated", estimated_cost_usd=0.1))
    after = store.update(session, SessionChange(model=None))
    assert after == store.get(session)
    assert (after.model, after.system_prompt) == (None, "be\ufffd brief")
    assert (after.cost_status, after.estimated_cost_usd) == ("estimated", 0.1)


def test_the_first_end_stands_until_the_session_is_resumed(
    store: SessionStore, session: str
) -> None:
    store.end(session, "session_reset")
    first = store.get(session)
    store.end(session, "again")
    assert store.get(session) == first
    assert first.end_reason == "session_reset" and first.ended_at is not None
    store.reopen(session)
    assert (store.get(session).ended_at, store.get(session).end_reason) == (None, None)


def test_deleting_takes_the_messages_along_and_leaves_children(store: SessionStore) -> None:
    make(store, "parent")
    make(store, "child", parent_session_id="parent")
    said(store, "parent", "unforgettable", 1.0)
    store.delete("parent")
    assert store.search("unforgettable") == ()
    assert store.stats().messages == 0
    assert store.get("child").parent_session_id is None


def test_pruning_takes_only_what_ended_long_ago(store: SessionStore) -> None:
    now = time.time()
    make(store, "open", started_at=1.0)
    make(store, "old", ended_at=now - 1000)
    make(store, "old chat", "telegram", ended_at=now - 1000)
    make(store, "new", ended_at=now)
    assert store.prunable(ended_before=now - 500) == 2
    assert store.prune(ended_before=now - 500, source="telegram") == 1
    assert store.prune(ended_before=now - 500) == 1
    assert {line.id for line in store.list()} == {"open", "new"}


def test_what_is_stored_together_is_stored_whole_or_not_at_all(store: SessionStore) -> None:
    def both(first: str, second: str) -> None:
        with store.together():
            store.create(Session(id=first, source="cli"))
            store.append(first, Message(role="user", content="hello"))
            store.create(Session(id=second, source="cli"))

    both("a", "b")
    with pytest.raises(StoreError):
        both("c", "a")
    assert {row.id for row in store.list()} == {"a", "b"}
    assert [message.content for message in store.history("a")] == ["hello"]


def test_a_call_that_fails_among_others_undoes_itself_only(store: SessionStore) -> None:
    with store.together():
        store.create(Session(id="a", source="cli", title="Plans"))
        with pytest.raises(StoreError), store.together():
            store.create(Session(id="b", source="cli"))
            store.create(Session(id="a", source="cli"))
        with pytest.raises(TitleTaken):
            store.create(Session(id="c", source="cli", title="Plans"))
        assert store.get("a").title == "Plans"
        store.create(Session(id="d", source="cli"))
    assert {row.id for row in store.list()} == {"a", "d"}


def test_sub_agents_are_listed_when_asked_for(store: SessionStore, session: str) -> None:
    store.create(Session(id="errand", source="delegate", parent_session_id=session))
    assert {each.id for each in store.list()} == {session, "errand"}
    assert [each.id for each in store.list(Filters(led=True))] == [session]
    assert [each.id for each in store.list(Filters(led=True, source="delegate"))] == ["errand"]


def test_a_session_is_deleted_with_its_sub_agents_and_theirs(
    store: SessionStore, session: str
) -> None:
    store.create(Session(id="errand", source="delegate", parent_session_id=session))
    store.create(Session(id="errand-2", source="delegate", parent_session_id="errand"))
    store.create(Session(id="branch", source="cli", parent_session_id=session))
    store.delete(session)
    assert [each.id for each in store.list()] == ["branch"]
    assert store.get("branch").parent_session_id is None


def test_old_sub_agents_are_pruned_with_their_parents(store: SessionStore, session: str) -> None:
    store.create(Session(id="errand", source="delegate", parent_session_id=session))
    for each in (session, "errand"):
        store.end(each, "completed")
    assert store.prune(ended_before=time.time() + 1) == 2
    assert store.list() == ()
