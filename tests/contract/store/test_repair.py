"""A history is whole after a repair, whatever a crash left."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hermes_agent.domain.messages import Message, ToolCall, ToolResult
from hermes_agent.store.ids import new_session_id
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Session
from tests.contract.store.engines import ENGINES
from tests.contract.store.test_messages import EVERYTHING


def asks(*ids: str) -> Message:
    return Message(
        role="assistant", tool_calls=tuple(ToolCall(call_id, "terminal", "{}") for call_id in ids)
    )


def answers(call_id: str, content: str = "done") -> Message:
    return Message(role="tool", content=content, tool_call_id=call_id, tool_name="terminal")


def result(call_id: str, content: str = "done") -> ToolResult:
    return ToolResult(call_id=call_id, name="terminal", content=content)


def status(message: Message) -> str:
    return json.loads(message.content)["status"]


def assert_whole(history: tuple[Message, ...]) -> None:
    """Each asking message is followed by one result for each call, in the order of the calls."""
    waiting: list[str] = []
    last = 0
    for message in history:
        assert message.id is not None and message.id > last
        last = message.id
        if message.role == "tool":
            assert waiting and message.tool_call_id == waiting.pop(0)
        else:
            assert not waiting
            waiting = [call.id for call in message.tool_calls]
    assert not waiting


def test_a_whole_history_is_left_as_it_is(store: SessionStore, session: str) -> None:
    for message in (Message(role="user", content="go"), asks("a", "b"), answers("a"), answers("b")):
        store.append(session, message)
    before = store.history(session)
    repaired = store.repair(session)
    assert (repaired.history, repaired.added) == (before, ())
    assert store.get(session).message_count == 4


def test_what_is_known_of_a_call_is_said(store: SessionStore, session: str) -> None:
    store.append(session, asks("finished", "running", "waiting"))
    store.call_started(session, ToolCall("finished", "terminal", "{}"))
    store.call_started(session, ToolCall("running", "terminal", "{}"))
    store.call_finished(session, result("finished", "the output"))
    _, finished, running, waiting = store.repair(session).history
    assert finished.content == "the output"
    assert status(running) == "interrupted" and "unknown whether" in running.content
    assert status(waiting) == "not_run"
    assert [run.status for run in store.runs(session)] == ["ok", "interrupted"]


def test_a_repair_is_done_once(store: SessionStore, session: str) -> None:
    store.append(session, asks("a"))
    first = store.repair(session)
    assert len(first.added) == 1
    second = store.repair(session)
    assert (second.history, second.added) == (first.history, ())
    assert store.get(session).message_count == 2


def test_results_stand_before_what_came_later(store: SessionStore, session: str) -> None:
    store.append(session, asks("a", "b", "c"))
    store.append(session, answers("b", "of b"))
    store.append(session, Message(role="user", content="are you there"))
    repaired = store.repair(session)
    assert_whole(repaired.history)
    assert [message.role for message in repaired.history][-1] == "user"
    assert store.history(session) == repaired.history
    times = [message.timestamp for message in repaired.history]
    assert times == sorted(times), "other programs order by time"
    (hit,) = store.search("there")
    assert hit.message_id == repaired.history[-1].id


def test_a_message_that_moved_keeps_all_that_is_known_of_it(
    store: SessionStore, session: str
) -> None:
    store.append(session, asks("lost"))
    later = store.append(session, EVERYTHING)
    store.call_started(session, EVERYTHING.tool_calls[0])
    moved = store.repair(session).history[2]
    assert moved.id != later.id
    assert (moved.images, moved.reasoning, moved.usage) == (
        later.images,
        later.reasoning,
        later.usage,
    )
    assert store.runs(session)[0].message_id == moved.id


def test_a_result_that_nobody_asked_for_is_left_out_but_stays_stored(
    store: SessionStore, session: str
) -> None:
    store.append(session, answers("never asked"))
    store.append(session, Message(role="user", content="go"))
    repaired = store.repair(session)
    assert [message.role for message in repaired.history] == ["user"]
    assert len(store.history(session)) == 2


def test_a_second_result_does_not_take_the_place_of_one_that_was_moved(
    store: SessionStore, session: str
) -> None:
    store.append(session, asks("b", "a"))
    store.append(session, answers("a", "first"))
    store.append(session, answers("a", "second"))
    repaired = store.repair(session)
    assert repaired.history[2].content == "first"
    assert store.repair(session).history == repaired.history


def test_ids_that_repeat_from_turn_to_turn_are_kept_apart(
    store: SessionStore, session: str
) -> None:
    store.append(session, asks("call_0"))
    store.call_started(session, ToolCall("call_0", "terminal", "{}"))
    store.call_finished(session, result("call_0", "first"))
    store.append(session, answers("call_0", "first"))
    store.append(session, asks("call_0"))
    store.call_started(session, ToolCall("call_0", "terminal", "{}"))
    history = store.repair(session).history
    assert history[1].content == "first"
    assert status(history[3]) == "interrupted"


def test_two_calls_of_one_id_in_one_message_get_two_results(
    store: SessionStore, session: str
) -> None:
    store.append(session, asks("same", "same"))
    store.append(session, answers("same", "one"))
    history = store.repair(session).history
    assert_whole(history)
    assert history[1].content == "one"
    assert status(history[2]) == "not_run"


def test_a_result_that_comes_late_takes_the_place_of_the_interruption(
    store: SessionStore, session: str
) -> None:
    store.append(session, asks("slow"))
    store.call_started(session, ToolCall("slow", "terminal", "{}"))
    store.repair(session)
    store.call_finished(session, result("slow", "it worked"))
    late = store.append(session, answers("slow", "it worked"))
    history = store.history(session)
    assert_whole(history)
    assert history[1] == late and late.content == "it worked"
    assert store.get(session).message_count == 2
    assert store.search("interrupted") == ()


IDS = st.sampled_from(["a", "b", "c", "call_0"])
EVENTS = st.one_of(
    st.just("user"),
    st.tuples(st.just("ask"), st.lists(IDS, max_size=4)),
    st.tuples(st.just("start"), IDS),
    st.tuples(st.just("finish"), IDS),
    st.tuples(st.just("answer"), IDS),
    st.just("repair"),
)


@pytest.fixture(scope="module", params=ENGINES)
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SessionStore]:
    store = ENGINES[request.param](tmp_path_factory.mktemp("shared"))
    yield store
    store.close()


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(events=st.lists(EVENTS, max_size=25))
def test_any_remains_become_a_whole_history(
    shared: SessionStore, events: list[str | tuple[str, str | list[str]]]
) -> None:
    session = shared.create(Session(id=new_session_id(), source="cli")).id
    replay(shared, session, events)
    stored = shared.history(session)
    repaired = shared.repair(session)
    assert_whole(repaired.history)
    kept = [m.content for m in repaired.history if m.role != "tool"]
    assert kept == [m.content for m in stored if m.role != "tool"], "nothing else is touched"
    real = Counter(m.content for m in stored if m.role == "tool")
    assert not Counter(m.content for m in repaired.history if m.role == "tool") - (
        real + Counter(m.content for m in repaired.added)
    ), "no result stands twice"
    again = shared.repair(session)
    assert (again.history, again.added) == (repaired.history, ())
    assert shared.get(session).message_count == len(shared.history(session))


def replay(
    store: SessionStore, session: str, events: list[str | tuple[str, str | list[str]]]
) -> None:
    for number, event in enumerate(events):
        match event:
            case "user":
                store.append(session, Message(role="user", content=f"said {number}"))
            case "repair":
                store.repair(session)
            case ("ask", list(ids)):
                store.append(session, asks(*ids))
            case ("start", str(call_id)):
                store.call_started(session, ToolCall(call_id, "terminal", "{}"))
            case ("finish", str(call_id)):
                store.call_finished(session, result(call_id, f"result {number}"))
            case ("answer", str(call_id)):
                store.append(session, answers(call_id, f"result {number}"))
            case _:
                raise AssertionError(event)
