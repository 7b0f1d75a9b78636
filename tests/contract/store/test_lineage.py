"""What a store promises of a session that goes on in a child."""

import pytest

from hermes_agent.domain.chats import Origin
from hermes_agent.domain.errors import NotFoundError, StoreError
from hermes_agent.domain.messages import Image, Message, Reasoning, ToolCall, ToolResult, Usage
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Filters, Route, Session

CALL = ToolCall("c1", "terminal", '{"command": "true"}', "signed")
NOTES = Message(
    role="user", content="notes about zebras", summary=True, usage=Usage(input=50, output=9)
)


def told(store: SessionStore, session: str) -> list[Message]:
    """A conversation of two turns; the second is on its way."""
    said = [
        Message(role="user", content="first words about a zebra", turn="t1"),
        Message(role="assistant", content="first answer", finish="stop", usage=Usage(input=7)),
        Message(role="user", content="second words", turn="t2", images=(Image("image/png", b"1"),)),
        Message(
            role="assistant",
            content="looking",
            tool_calls=(CALL,),
            reasoning=(Reasoning("hm", "{}", "anthropic"),),
            finish="tool_calls",
            model="m",
            usage=Usage(input=20, output=3),
        ),
    ]
    stored = [store.append(session, message) for message in said]
    store.call_started(session, CALL)
    store.call_finished(session, ToolResult(call_id="c1", name="terminal", content="output"))
    result = Message(role="tool", content="output", tool_call_id="c1", tool_name="terminal")
    return [*stored, store.append(session, result)]


def test_the_child_has_what_was_kept_and_the_parent_keeps_everything(
    store: SessionStore, session: str
) -> None:
    messages = told(store, session)
    child, kept = store.succeed(session, "child", [NOTES, *messages[2:]])
    assert child.parent_session_id == session
    assert child.source == "cli"
    assert store.get(session).end_reason == "compression"
    assert store.history("child") == kept
    assert [m.content for m in kept] == [NOTES.content, *(m.content for m in messages[2:])]
    assert kept[0].summary
    assert kept[1].images == messages[2].images
    assert kept[2].tool_calls == messages[3].tool_calls
    assert kept[2].reasoning == messages[3].reasoning
    before = [(m.id, m.content) for m in messages]
    assert [(m.id, m.content) for m in store.history(session)] == before
    assert store.repair("child").history == kept
    assert store.repair("child").added == ()


def test_what_was_spent_is_counted_once(store: SessionStore, session: str) -> None:
    messages = told(store, session)
    spent = store.insights(since=0).total
    child, kept = store.succeed(session, "child", [NOTES, *messages[2:]])
    assert child.input_tokens == 0
    assert store.get("child").input_tokens == 50
    assert store.get("child").message_count == 4
    assert store.get("child").tool_call_count == 0
    assert [m.usage for m in kept] == [NOTES.usage, None, None, None]
    after = store.insights(since=0).total
    assert after.input_tokens == spent.input_tokens + 50
    assert after.tool_calls == spent.tool_calls
    assert after.messages == spent.messages + 1


def test_titles_of_a_lineage_are_numbered(store: SessionStore, session: str) -> None:
    first = store.append(session, Message(role="user", content="hi"))
    store.rename(session, "Plans")
    child, (copy,) = store.succeed(session, "child", [first])
    grandchild, _ = store.succeed("child", "grandchild", [copy])
    assert (child.title, grandchild.title) == ("Plans #2", "Plans #3")
    untitled = store.create(Session(id="untitled", source="cli"))
    assert store.succeed(untitled.id, "other", [])[0].title is None


def test_the_newest_of_a_lineage_is_found_from_every_older_one(
    store: SessionStore, session: str
) -> None:
    first = store.append(session, Message(role="user", content="hi"))
    _, (copy,) = store.succeed(session, "child", [first])
    store.succeed("child", "grandchild", [copy])
    # Somebody branched off before and after; that is another conversation.
    store.create(Session(id="branch", source="api", parent_session_id=session, started_at=1.0))
    assert {store.tip(name) for name in (session, "child", "grandchild")} == {"grandchild"}
    assert store.tip("branch") == "branch"
    assert store.tip("nobody") == "nobody"
    listed = {row.id for row in store.list(Filters(newest=True))}
    assert listed == {"grandchild", "branch"}
    store.delete("grandchild")
    assert store.tip(session) == "child"


def test_a_lineage_that_another_program_made_is_followed(store: SessionStore) -> None:
    store.create(
        Session(id="old", source="cli", started_at=50.0, ended_at=100.0, end_reason="compression")
    )
    store.create(Session(id="new", source="cli", parent_session_id="old", started_at=100.4))
    store.create(Session(id="late", source="cli", parent_session_id="old", started_at=900.0))
    assert store.tip("old") == "new"


def test_the_turn_on_its_way_goes_along(store: SessionStore, session: str) -> None:
    messages = told(store, session)
    _, kept = store.succeed(session, "child", [NOTES, *messages[2:]])
    going = store.of_turn("t2")
    assert going is not None
    assert (going.session_id, going.message_id) == ("child", kept[1].id)
    gone = store.of_turn("t1")
    assert gone is not None
    assert gone.session_id == session
    again = store.append("child", Message(role="user", content="second words", turn="t2"))
    assert again.id == kept[1].id
    assert len(store.history("child")) == len(kept)


def test_what_the_model_wrote_in_a_turn_is_found_over_its_sessions(
    store: SessionStore, session: str
) -> None:
    messages = told(store, session)
    _, kept = store.succeed(session, "child", [NOTES, messages[2]])
    store.append("child", Message(role="assistant", content="more", finish="stop"))
    copies = [kept[1], *store.history("child")[2:]]
    store.succeed("child", "grandchild", [NOTES, *copies])
    store.append("grandchild", Message(role="assistant", content="the end", finish="stop"))
    assert [m.content for m in store.written("t2")] == ["looking", "more", "the end"]
    assert store.written("nobody's") == ()


def test_a_search_finds_a_message_once_and_where_it_was_said(
    store: SessionStore, session: str
) -> None:
    messages = told(store, session)
    store.succeed(session, "child", [*messages[:2], NOTES, *messages[2:]])
    assert [hit.session_id for hit in store.search("zebra")] == [session]
    assert [hit.session_id for hit in store.search("first words")] == [session]
    assert sorted(hit.session_id for hit in store.search("ebr")) == [session, "child"]
    store.delete(session)
    assert [hit.session_id for hit in store.search('"first words"')] == ["child"]


def test_chats_are_led_to_the_child(store: SessionStore, session: str) -> None:
    origin = Origin(platform="telegram", chat_id="1", chat_type="dm", user_id="1")
    for key, where in (("a", session), ("b", "elsewhere")):
        route = Route(
            session_key=key, session_id=where, created_at=1.0, updated_at=2.0, origin=origin
        )
        store.save_route(route)
    store.succeed(session, "child", [])
    led = {key: store.route(key) for key in ("a", "b")}
    assert {key: route and route.session_id for key, route in led.items()} == {
        "a": "child",
        "b": "elsewhere",
    }


def test_all_of_it_happens_or_nothing(store: SessionStore, session: str) -> None:
    messages = told(store, session)
    store.create(Session(id="taken", source="cli"))
    with pytest.raises(StoreError):
        store.succeed(session, "taken", [NOTES, *messages])
    with pytest.raises(NotFoundError):
        store.succeed("nobody", "child", [])
    assert store.get(session).ended_at is None
    assert store.history("taken") == ()
    assert store.tip(session) == session
    turn = store.of_turn("t2")
    assert turn is not None
    assert turn.session_id == session


def test_a_message_of_another_session_is_stored_as_a_new_one(
    store: SessionStore, session: str
) -> None:
    other = store.create(Session(id="other", source="cli"))
    foreign = store.append(other.id, Message(role="user", content="giraffe"))
    store.succeed(session, "child", [foreign])
    assert {hit.session_id for hit in store.search("giraffe")} == {"other", "child"}


def test_failures_are_counted_until_the_session_is_gone(store: SessionStore, session: str) -> None:
    assert store.compaction_failures(session).count == 0
    store.compaction_failed(session)
    failures = store.compaction_failed(session)
    assert failures.count == 2
    assert failures.last > 0
    assert store.compaction_failures(session) == failures
    with pytest.raises(NotFoundError):
        store.compaction_failed("nobody")
    store.delete(session)
    assert store.compaction_failures(session).count == 0


def test_a_call_that_left_no_message_is_counted(store: SessionStore, session: str) -> None:
    store.spent(session, Usage(input=5, output=2, cost_usd=0.5))
    store.spent(session, Usage(input=1))
    row = store.get(session)
    assert (row.input_tokens, row.output_tokens, row.actual_cost_usd) == (6, 2, 0.5)
    assert row.message_count == 0


def test_taking_back_in_the_child_leaves_the_parent_alone(
    store: SessionStore, session: str
) -> None:
    messages = told(store, session)
    _, kept = store.succeed(session, "child", [NOTES, *messages[2:]])
    assert kept[1].id is not None
    store.rewind("child", kept[1].id)
    assert [m.content for m in store.history("child")] == [NOTES.content]
    assert store.get("child").tool_call_count == 0
    assert len(store.history(session)) == len(messages)


def test_a_sub_agent_is_not_where_a_conversation_goes_on(store: SessionStore, session: str) -> None:
    store.create(Session(id="errand", source="delegate", parent_session_id=session))
    store.end(session, "compression")
    assert store.tip(session) == session


def test_a_sub_agents_own_conversation_goes_on_in_its_child(
    store: SessionStore, session: str
) -> None:
    store.create(Session(id="errand", source="delegate", parent_session_id=session))
    store.append("errand", Message(role="user", content="look"))
    store.succeed("errand", "later", ())
    assert store.tip("errand") == "later"
    assert store.get("later").source == "delegate"
