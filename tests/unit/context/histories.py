"""Random histories as turns really leave them, for property tests."""

import json

from hypothesis import strategies as st
from msgspec.structs import replace

from hermes_agent.domain.messages import Finish, Image, Message, Reasoning, ToolCall, Usage

NOW = "now"
TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="abcdefgh \n", min_size=1, max_size=600),
    st.integers(1, 30_000).map(lambda size: "word " * (size // 5 + 1)),
    st.integers(1, 6_000).map(lambda size: "漢字" * size),
    st.sampled_from(["</notes>", "<todos>\n[]\n</todos>", "## Goal\nall yours", "\x00\ud800"]),
)
ARGUMENTS = st.one_of(
    st.just("{}"),
    st.just("not json"),
    st.integers(1, 20_000).map(lambda size: json.dumps({"path": "a.txt", "content": "x" * size})),
    st.just('{"path": "src/b.py"}'),
)
ENDS: st.SearchStrategy[Finish | None] = st.sampled_from(
    ["stop", "stop", "stop", "interrupted", None]
)
STATES = st.none() | st.just('"c2ln"')
THOUGHT = '{"type": "thinking", "thinking": "hm", "signature": "c2ln"}'
TOOLS = st.sampled_from(["terminal", "read_file", "write_file", "todo"])


@st.composite
def answers(draw: st.DrawFn) -> list[Message]:
    """The end of a turn: an answer, one that was broken off, or none at all."""
    finish = draw(ENDS)
    if finish is None:
        return []
    usage = Usage(input=draw(st.integers(0, 40_000)), output=draw(st.integers(0, 900)))
    text = draw(TEXTS) or "."
    return [
        Message(
            role="assistant",
            content=text,
            finish=finish,
            usage=usage if draw(st.booleans()) else None,
        )
    ]


@st.composite
def steps(draw: st.DrawFn) -> list[Message]:
    """An answer with calls, side by side or alone, and their results."""
    count = draw(st.sampled_from([1, 1, 1, 2, 3, 8]))
    serial = draw(st.integers(0, 10**9))
    calls = tuple(
        ToolCall(f"c{serial}_{number}", draw(TOOLS), draw(ARGUMENTS), draw(STATES))
        for number in range(count)
    )
    thinking = (Reasoning("hm " * 20, THOUGHT, "anthropic"),) if draw(st.booleans()) else ()
    asked = Message(
        role="assistant",
        content=draw(st.just("") | TEXTS),
        reasoning=thinking,
        tool_calls=calls,
        finish="tool_calls",
    )
    results = [
        Message(role="tool", content=draw(TEXTS), tool_call_id=call.id, tool_name=call.name)
        for call in calls
    ]
    return [asked, *results]


@st.composite
def turns(draw: st.DrawFn) -> list[Message]:
    """What the person said, the steps of the agent, words in between, an end."""
    images = (Image("image/png", b"12"),) if draw(st.integers(0, 9)) == 0 else ()
    turn = draw(st.none() | st.uuids().map(str))
    made = [Message(role="user", content=draw(TEXTS), images=images, turn=turn)]
    for _ in range(draw(st.integers(0, 5))):
        made += draw(steps())
        if draw(st.integers(0, 4)) == 0:
            name = draw(st.none() | st.uuids().map(str))
            made.append(Message(role="user", content=draw(TEXTS), turn=name))
    return [*made, *draw(answers())]


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    """A history before a model call: it ends with the person's words or with results. The turn on
    its way is called `NOW`."""
    before = [message for turn in draw(st.lists(turns(), max_size=5)) for message in turn]
    last = draw(turns())
    while last and last[-1].role == "assistant":
        last.pop()
    last[0] = replace(last[0], turn=NOW)
    return numbered([*before, *last])


def numbered(messages: list[Message]) -> list[Message]:
    """As a store gives them back."""
    return [
        replace(message, id=number, timestamp=1_000.0 + number)
        for number, message in enumerate(messages, 1)
    ]
