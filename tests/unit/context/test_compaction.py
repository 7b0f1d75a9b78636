"""What is kept of a conversation that is too long, over random histories."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hermes_agent.agent.loop import said_by_person
from hermes_agent.context.compaction.measure import factor, weigh, weigh_all
from hermes_agent.context.compaction.notes import assembled, notes_of, summary_message
from hermes_agent.context.compaction.plan import Plan, make_plan
from hermes_agent.context.compaction.rules import Rules, limit_of
from hermes_agent.context.compaction.shortening import Shortener
from hermes_agent.context.compaction.transcript import pieces
from hermes_agent.domain.messages import Message, ToolCall, Usage
from hermes_agent.domain.model import Request
from hermes_agent.providers.target import Target
from hermes_agent.providers.vendor import WireName, find_vendor
from hermes_agent.providers.wires.contract import load_wire
from tests.unit.context.histories import NOW, histories

FIXED = 1_500
RULES = Rules()
END: dict[str, Any] = {"parts": []}
WINDOWS = st.sampled_from([8_192, 16_384, 32_768, 200_000])
WIRES: tuple[WireName, ...] = ("chat_completions", "responses", "anthropic", "gemini")


def thorough(examples: int) -> settings:
    """So many examples, however long a busy machine takes for them."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, suppress_health_check=slow)


def planned(
    messages: list[Message], window: int, *, rules: Rules = RULES, by_hand: bool = False
) -> Plan | None:
    return make_plan(
        messages,
        rules=rules,
        window=window,
        fixed=FIXED,
        said_by_person=said_by_person,
        shortener=Shortener("s1", searchable=True),
        since=next((message.id for message in messages if message.turn == NOW), None),
        by_hand=by_hand,
    )


def done(plan: Plan, written: str | None = None) -> list[Message]:
    """The conversation after; the summary is as long as it may be."""
    if not plan.middle:
        return assembled(plan, None)
    text = "n" * (plan.summary_tokens * 4) if written is None else written
    summary = summary_message(
        plan, text, session_id="s1", searchable=True, usage=Usage(), model="m"
    )
    return assembled(plan, summary)


def assert_valid(messages: list[Message]) -> None:
    """Every call is answered, in order, before anything else is said; a person speaks first."""
    waiting: list[str] = []
    for message in messages:
        if message.role == "tool":
            assert waiting
            assert message.tool_call_id == waiting.pop(0)
            continue
        assert not waiting
        waiting = [call.id for call in message.tool_calls]
    assert not waiting
    assert messages[0].role == "user"


def is_valid(messages: list[Message]) -> bool:
    try:
        assert_valid(messages)
    except AssertionError:
        return False
    return True


@thorough(150)
@given(histories(), WINDOWS, st.booleans())
def test_the_result_is_a_valid_conversation(
    messages: list[Message], window: int, by_hand: bool
) -> None:
    plan = planned(messages, window, by_hand=by_hand)
    if plan is not None:
        assert_valid(done(plan))


@thorough(150)
@given(histories(), WINDOWS, st.integers(0, 60), st.sampled_from([0.1, 0.2, 0.8]))
def test_the_result_is_within_its_room_whatever_the_rules(
    messages: list[Message], window: int, protect: int, ratio: float
) -> None:
    rules = Rules(threshold=0.5, target_ratio=ratio, protect_last_n=protect)
    plan = planned(messages, window, rules=rules)
    if plan is None or weigh_all(messages) <= plan.tokens:
        return
    after = done(plan)
    assert weigh_all(after) <= plan.tokens
    scale = factor(messages, FIXED)
    limit = limit_of(window, int(FIXED * scale), RULES.threshold)
    assert (FIXED + weigh_all(after)) * scale <= limit + 2


@thorough(150)
@given(histories(), WINDOWS, st.booleans())
def test_no_message_is_lost_that_no_summary_stands_for(
    messages: list[Message], window: int, by_hand: bool
) -> None:
    plan = planned(messages, window, by_hand=by_hand)
    if plan is None:
        return
    kept = {message.id: message for message in (*plan.head, *plan.pinned, *plan.tail)}
    summarised = {message.id for message in plan.middle}
    for message in messages:
        if message.id in summarised:
            continue
        assert message.id in kept
        now = kept[message.id]
        if now.content != message.content:
            # Only the output of a tool is thinned unsummarised, and it says where the rest is.
            assert message.role == "tool"
            assert f"message {message.id} of session s1" in now.content
    assert {message.content for message in plan.middle} <= {m.content for m in messages}


@thorough(100)
@given(histories(), WINDOWS)
def test_what_the_person_asks_now_is_kept_with_its_name(
    messages: list[Message], window: int
) -> None:
    plan = planned(messages, window)
    if plan is None:
        return
    after = {message.turn for message in assembled(plan, None)}
    assert NOW in after
    place = next(i for i, message in enumerate(messages) if message.turn == NOW)
    said = [message for message in messages[place:] if said_by_person(message)]
    assert {message.turn for message in said[-2:]} <= after


@thorough(100)
@given(histories(), WINDOWS)
def test_the_end_of_the_conversation_stays_where_it_is(
    messages: list[Message], window: int
) -> None:
    plan = planned(messages, window)
    if plan is not None:
        count = len(plan.tail)
        assert [m.id for m in plan.tail] == [m.id for m in messages[-count:]]
        assert plan.tail[-1].role == messages[-1].role


@thorough(60)
@given(histories(), histories(), st.sampled_from([8_192, 32_768]))
def test_a_shortened_conversation_can_be_shortened_again(
    first: list[Message], second: list[Message], window: int
) -> None:
    plan = planned(first, window)
    if plan is None:
        return
    after = [
        replace(message, id=number, usage=None)
        for number, message in enumerate([*done(plan, "## Goal\nearlier"), *second], 1)
    ]
    if not is_valid(after):
        return
    again = planned(after, window)
    if again is None:
        return
    result = done(again)
    assert_valid(result)
    assert sum(message.summary for message in result) <= 1
    if again.middle and plan.middle:
        assert notes_of(again.earlier) == "## Goal\nearlier"
        assert not any(message.summary for message in again.middle)


@thorough(60)
@given(histories(), st.sampled_from(WIRES))
def test_every_wire_can_send_the_result(messages: list[Message], wire: WireName) -> None:
    plan = planned(messages, 8_192)
    if plan is None:
        return
    vendor = find_vendor("custom")
    assert vendor is not None
    target = Target(
        vendor=vendor, wire=wire, base_url="http://127.0.0.1:1/v1", model="m", context_length=8_192
    )
    request = Request(system="s", messages=tuple(done(plan)))
    assert_sendable(wire, json.loads(load_wire(wire).encode(target, request)))


def assert_sendable(wire: WireName, body: dict[str, Any]) -> None:
    """What the vendors refuse: a call without its results right behind it, roles that do not
    take turns where they must."""
    if wire == "chat_completions":
        waiting: list[str] = []
        for message in body["messages"]:
            if message["role"] == "tool":
                waiting.remove(message["tool_call_id"])
                continue
            assert not waiting
            waiting = [call["id"] for call in message.get("tool_calls", ())]
            for call in message.get("tool_calls", ()):
                assert isinstance(json.loads(call["function"]["arguments"]), dict)
        assert not waiting
    elif wire == "responses":
        calls, outputs = (
            sorted(str(each["call_id"]) for each in body["input"] if each.get("type") == kind)
            for kind in ("function_call", "function_call_output")
        )
        assert calls == outputs
    elif wire == "anthropic":
        roles = [str(message["role"]) for message in body["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2)
        asked: list[str] = []
        for message in body["messages"]:
            blocks: list[dict[str, Any]] = message["content"]
            answered = [str(b["tool_use_id"]) for b in blocks if b["type"] == "tool_result"]
            assert sorted(answered) == sorted(asked)
            assert {b["type"] for b in blocks[: len(answered)]} <= {"tool_result"}
            asked = [str(b["id"]) for b in blocks if b["type"] == "tool_use"]
        assert not asked
    else:
        contents: list[dict[str, Any]] = body["contents"]
        assert contents[0]["role"] == "user"
        for content, following in pairwise([*contents, END]):
            made = sum("functionCall" in part for part in content["parts"])
            assert made == sum("functionResponse" in part for part in following["parts"])


@thorough(100)
@given(histories(), st.sampled_from([500, 5_000, 100_000]))
def test_a_transcript_shows_something_of_every_message(messages: list[Message], size: int) -> None:
    made = pieces(messages, size)
    assert len(made) <= 12
    assert all(len(piece) <= size for piece in made)
    whole = "\n".join(made)
    if size == 100_000:
        for message in messages:
            if message.role != "tool":
                assert message.content[:40] in whole


def test_thinning_old_results_alone_needs_no_summary() -> None:
    asked = Message(role="user", content="look", id=1)
    messages = [asked]
    for number in range(20):
        call = ToolCall(f"c{number}", "terminal", "{}")
        messages.append(
            Message(role="assistant", tool_calls=(call,), finish="tool_calls", id=2 * number + 2)
        )
        messages.append(
            Message(
                role="tool",
                content=f"{number} " + "out " * 1_500,
                tool_call_id=call.id,
                tool_name="terminal",
                id=2 * number + 3,
            )
        )
    plan = planned(messages, 32_768, rules=Rules(protect_last_n=6))
    assert plan is not None
    assert plan.middle == ()
    assert len(plan.tail) == len(messages)
    assert "message 3 of session s1; session_search shows it" in plan.tail[2].content
    assert plan.tail[2].content.startswith("0 out")
    assert plan.tail[-1].content == messages[-1].content
    assert weigh_all(plan.tail) < plan.tokens


def test_the_first_exchange_stays_at_its_place() -> None:
    messages = [
        Message(role="user", content="The task is: sort the books.", id=1),
        Message(role="assistant", content="I sort the books.", finish="stop", id=2),
    ]
    for number in range(3, 60):
        asked = Message(role="user", content="word " * 300, id=number)
        given = Message(role="assistant", content="word " * 300, finish="stop", id=number)
        messages.append(asked if number % 2 else given)
    plan = planned(messages, 32_768)
    assert plan is not None
    assert [m.id for m in plan.head] == [1, 2]


def test_the_newest_messages_are_kept_whole_as_far_as_they_find_room() -> None:
    messages = [
        Message(
            role="user" if number % 2 else "assistant",
            content="word " * 100,
            finish=None if number % 2 else "stop",
            id=number,
        )
        for number in range(1, 200)
    ]
    plan = planned(messages, 65_536, rules=Rules(target_ratio=0.1, protect_last_n=40))
    assert plan is not None
    assert list(plan.tail) == messages[-40:]


@pytest.mark.parametrize("text", ["hello", "x" * 400_000, "漢" * 100_000])
def test_one_message_larger_than_the_window_is_cut_and_summarised(text: str) -> None:
    messages = [Message(role="user", content=text, id=7)]
    plan = planned(messages, 8_192)
    if len(text) < 10:
        assert plan is None
        return
    assert plan is not None
    assert plan.middle == (messages[0],)
    assert weigh(plan.tail[-1]) <= plan.tokens * 0.3
    assert "message 7 of session s1" in plan.tail[-1].content
    assert plan.tail[-1].content.startswith(text[:100])
    assert plan.tail[-1].content.endswith(text[-100:])
