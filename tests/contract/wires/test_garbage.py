"""Whatever a server sends, a wire gives an answer or a typed error, nothing else."""

from typing import Any, cast

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hermes_agent.domain.errors import ModelError
from hermes_agent.domain.messages import Message
from hermes_agent.providers.vendor import WireName
from hermes_agent.providers.wires.contract import load_wire
from hermes_agent.providers.wires.sse import EventStream
from tests.contract.wires.conftest import MODELS, aim

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
USAGE: dict[str, Any] = {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1}}
CALL = {"index": 0, "id": "c", "function": {"name": "todo", "arguments": "{}"}}
LAWFUL: dict[WireName, list[dict[str, Any]]] = {
    "chat_completions": [
        {"choices": [{"index": 0, "delta": {"content": "a", "reasoning": "b"}}]},
        {"choices": [{"delta": {"reasoning_details": [{"type": "reasoning.text", "text": "t"}]}}]},
        {"choices": [{"delta": {"reasoning_details": [{"type": "reasoning.text", "text": "u"}]}}]},
        {"choices": [{"delta": {"tool_calls": [CALL]}, "finish_reason": "tool_calls"}]},
        {"choices": [], "usage": USAGE},
    ],
    "responses": [
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning"}},
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "t"},
        {
            "type": "response.output_item.done",
            "output_index": 1,
            "item": {"type": "function_call", "call_id": "c", "name": "todo", "arguments": "{}"},
        },
        {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{"},
        {"type": "response.output_text.delta", "output_index": 2, "delta": "a"},
        {"type": "response.completed", "response": {"status": "completed", "output": []}},
    ],
    "anthropic": [
        {"type": "message_start", "message": {"usage": {"input_tokens": 3}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking"}},
        {"type": "content_block_delta", "index": 0, "delta": {"thinking": "t", "signature": "s"}},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "tool_use", "id": "c", "name": "todo", "input": {}},
        },
        {"type": "content_block_delta", "index": 1, "delta": {"partial_json": "{}"}},
        {"type": "content_block_delta", "index": 2, "delta": {"text": "a"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}},
        {"type": "message_stop"},
    ],
    "gemini": [
        {"candidates": [{"content": {"parts": [{"text": "t", "thought": True}]}}]},
        {
            "candidates": [
                {
                    "content": {
                        "parts": [
                            {"text": "a", "thoughtSignature": "s"},
                            {"functionCall": {"name": "todo", "args": {}}},
                        ]
                    },
                    "finishReason": "STOP",
                }
            ],
            "usageMetadata": {"promptTokenCount": 3},
        },
    ],
}


def read(wire: WireName, raw: bytes) -> Message | None:
    decoder = load_wire(wire).decoder(aim(wire, "http://127.0.0.1:1"))
    stream = EventStream()
    try:
        for data in [*stream.feed(raw), *stream.close()]:
            decoder.feed(data)
        return decoder.finish()
    except ModelError:
        return None


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside."""
    found = [path]
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(cast("dict[Any, Any]", value).items())
    elif isinstance(value, list):
        items = list(enumerate(cast("list[Any]", value)))
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy: Any = dict(cast("dict[Any, Any]", value)) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


def written(events: list[Any]) -> bytes:
    return b"".join(b"data: " + msgspec.json.encode(each) + b"\n\n" for each in events)


@pytest.mark.parametrize("wire", list(MODELS))
def test_the_lawful_form_is_an_answer(wire: WireName):
    message = read(wire, written(LAWFUL[wire]))
    assert message is not None
    assert message.tool_calls[0].name == "todo"


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("wire", list(MODELS))
def test_a_value_of_another_kind_anywhere_is_no_accident(wire: WireName, data: st.DataObject):
    events: list[Any] = LAWFUL[wire]
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(events)[1:]))
        events = replaced(events, path, data.draw(VALUES))
        if not events:
            break
    read(wire, written(events))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("wire", list(MODELS))
def test_bytes_changed_anywhere_are_no_accident(wire: WireName, data: st.DataObject):
    raw = bytearray(written(LAWFUL[wire]))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    read(wire, bytes(raw))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("wire", list(MODELS))
def test_events_lost_doubled_or_out_of_order_are_no_accident(wire: WireName, data: st.DataObject):
    events = data.draw(st.lists(st.sampled_from(LAWFUL[wire]), max_size=12))
    read(wire, written(events))
