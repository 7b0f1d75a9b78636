"""What a store promises of messages."""

import json
import time

import msgspec
import pytest

from hermes_agent.domain.errors import NotFoundError
from hermes_agent.domain.messages import Image, Message, Reasoning, ToolCall, ToolResult, Usage
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Session

EVERYTHING = Message(
    role="assistant",
    content="Here it is.\n\n```sh\necho 'ü' | tee \"x\"\n```",
    images=(
        Image("image/png", bytes(range(256))),
        Image("image/jpeg", url="https://pictures.example/a.jpg"),
    ),
    reasoning=(Reasoning("Let me think.", '{"signature":"abc=="}', "anthropic"), Reasoning("So.")),
    tool_calls=(
        ToolCall("call_1", "terminal", '{"command": "ls"}', '{"thought": "opaque"}'),
        ToolCall("call_2", "read_file", "not even {json"),
    ),
    finish="tool_calls",
    usage=Usage(100, 20, 80, 5, 7, 0.0125),
    model="some/model-1",
    timestamp=1234.5,
)


def test_every_field_of_a_message_comes_back(store: SessionStore, session: str) -> None:
    result = Message(
        role="tool", content="out", tool_call_id="call_1", tool_name="terminal", timestamp=1235.0
    )
    stored = [store.append(session, message) for message in (EVERYTHING, result)]
    assert store.history(session) == tuple(stored)
    assert [msgspec.structs.replace(message, id=None) for message in stored] == [EVERYTHING, result]


def test_a_message_without_a_time_gets_the_time_of_its_storing(
    store: SessionStore, session: str
) -> None:
    before = time.time()
    assert before <= store.append(session, Message(role="user", content="x")).timestamp


def test_messages_are_counted_with_their_calls_and_tokens(
    store: SessionStore, session: str
) -> None:
    store.append(session, Message(role="user", content="go"))
    store.append(session, EVERYTHING)
    store.append(session, msgspec.structs.replace(EVERYTHING, usage=Usage(1, 2, 3, 4, 5)))
    after = store.get(session)
    assert (after.message_count, after.tool_call_count) == (3, 4)
    assert (after.input_tokens, after.output_tokens) == (101, 22)
    assert (after.cache_read_tokens, after.cache_write_tokens) == (83, 9)
    assert (after.reasoning_tokens, after.actual_cost_usd) == (12, 0.0125)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a lone \ud83d surrogate", "a lone \ufffd surrogate"),
        (b"invalid \xff\xfe bytes".decode(errors="surrogateescape"), "invalid \ufffd\ufffd bytes"),
        ("a NUL\x00inside", "a NUL\ufffdinside"),
        ("\U0001f600 e\u0301 \u202e \x1b[31m", "\U0001f600 e\u0301 \u202e \x1b[31m"),
        ("x" * 1_000_000 + " end", "x" * 1_000_000 + " end"),
        ("word " * 200_000, "word " * 200_000),
        ("", ""),
    ],
    ids=["surrogate", "bytes", "nul", "odd", "long word", "long text", "empty"],
)
def test_any_text_is_kept_or_replaced_by_a_mark_and_the_returned_message_tells(
    store: SessionStore, session: str, given: str, kept: str
) -> None:
    returned = store.append(session, Message(role="user", content=given))
    assert returned.content == kept
    assert store.history(session) == (returned,)


def test_unstorable_text_is_replaced_in_calls_and_reasoning_too(
    store: SessionStore, session: str
) -> None:
    returned = store.append(
        session,
        Message(
            role="assistant",
            tool_calls=(ToolCall("c\x00", "na\ud800me", '{"a": "\udfff"}', "\x00"),),
            reasoning=(Reasoning("\ud800", "\x00"),),
        ),
    )
    assert returned.tool_calls == (ToolCall("c\ufffd", "na\ufffdme", '{"a": "\ufffd"}', "\ufffd"),)
    assert returned.reasoning == (Reasoning("\ufffd", "\ufffd"),)
    assert store.history(session) == (returned,)


def test_histories_do_not_mix(store: SessionStore, session: str) -> None:
    store.create(Session(id="other", source="cli"))
    for number in range(4):
        store.append((session, "other")[number % 2], Message(role="user", content=str(number)))
    assert [message.content for message in store.history(session)] == ["0", "2"]


def test_a_tool_run_is_known_from_its_start_and_its_result_until_it_is_a_message(
    store: SessionStore, session: str
) -> None:
    asked = store.append(session, EVERYTHING)
    store.call_started(session, EVERYTHING.tool_calls[0])
    (run,) = store.runs(session)
    assert (run.status, run.finished_at, run.message_id) == ("running", None, asked.id)
    store.call_finished(
        session, ToolResult(call_id="call_1", name="terminal", content="done", duration=0.5)
    )
    (run,) = store.runs(session)
    assert (run.status, run.result) == ("ok", "done")
    assert run.finished_at is not None and run.finished_at >= run.started_at
    store.append(session, Message(role="tool", content="done", tool_call_id="call_1"))
    (run,) = store.runs(session)
    assert (run.status, run.result) == ("ok", None)


def test_a_call_that_was_denied_before_it_started_has_a_run_too(
    store: SessionStore, session: str
) -> None:
    store.append(session, EVERYTHING)
    store.call_finished(
        session, ToolResult(call_id="call_2", name="read_file", content="no", status="denied")
    )
    (run,) = store.runs(session)
    assert (run.call_id, run.status, run.result) == ("call_2", "denied", "no")


def test_rewinding_removes_a_message_and_all_after_it(store: SessionStore, session: str) -> None:
    kept = store.append(session, Message(role="user", content="kept words"))
    taken = store.append(session, Message(role="user", content="taken words"))
    store.append(session, EVERYTHING)
    store.call_started(session, EVERYTHING.tool_calls[0])
    assert taken.id is not None
    assert store.rewind(session, taken.id) == 2
    assert store.history(session) == (kept,)
    assert store.runs(session) == ()
    after = store.get(session)
    assert (after.message_count, after.tool_call_count) == (1, 0)
    assert after.input_tokens == 100, "what was spent was spent"
    assert store.search("taken") == ()
    with pytest.raises(NotFoundError):
        store.rewind(session, taken.id)


def test_rewinding_leaves_other_sessions_alone(store: SessionStore, session: str) -> None:
    first = store.append(session, Message(role="user", content="x"))
    store.create(Session(id="other", source="cli"))
    store.append("other", Message(role="user", content="y"))
    assert first.id is not None
    with pytest.raises(NotFoundError):
        store.rewind("other", first.id)
    store.rewind(session, first.id)
    assert len(store.history("other")) == 1


def test_an_export_holds_the_documented_columns_and_the_messages(
    store: SessionStore, session: str
) -> None:
    store.append(session, EVERYTHING)
    (exported,) = store.export()
    line = json.loads(msgspec.json.encode(exported))
    assert (line["id"], line["source"], line["message_count"]) == (session, "cli", 1)
    (message,) = line["messages"]
    assert message["role"] == "assistant"
    assert message["tool_calls"][0]["function"] == {
        "name": "terminal",
        "arguments": '{"command": "ls"}',
    }
    assert message["finish_reason"] == "tool_calls"
    assert store.export_session(session) == exported
