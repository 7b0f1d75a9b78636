"""Tool calls on chat-completions: numbered, named by id, neither, or all numbered 0."""

from typing import Any

import msgspec
import pytest

from hermes_agent.domain.errors import RateLimited, StreamBroken
from hermes_agent.domain.messages import Message
from hermes_agent.providers.target import Target
from hermes_agent.providers.vendor import find_vendor
from hermes_agent.providers.wires.contract import load_wire

VENDOR = find_vendor("custom")
assert VENDOR is not None
TARGET = Target(vendor=VENDOR, wire="chat_completions", base_url="http://127.0.0.1:1", model="m")


def heard(*choices: dict[str, Any]) -> Message:
    decoder = load_wire("chat_completions").decoder(TARGET)
    for choice in choices:
        decoder.feed(msgspec.json.encode({"choices": [choice]}))
    return decoder.finish()


def piece(
    name: str | None = None,
    arguments: object = None,
    *,
    index: int | None = None,
    call_id: str | None = None,
) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    said = {
        "index": index,
        "id": call_id,
        "function": {key: value for key, value in function.items() if value is not None},
    }
    return {key: value for key, value in said.items() if value is not None}


STOP: dict[str, Any] = {"delta": {}, "finish_reason": "stop"}
CASES: list[tuple[str, list[list[dict[str, Any]]], list[tuple[str, str]]]] = [
    (
        "numbered, in pieces",
        [[piece("x", '{"a"', index=0, call_id="a")], [piece(None, ":1}", index=0)]],
        [("x", '{"a":1}')],
    ),
    (
        "numbered, interleaved",
        [
            [piece("x", "", index=0, call_id="a"), piece("y", "", index=1, call_id="b")],
            [piece(None, '{"y":1}', index=1)],
            [piece(None, '{"x":1}', index=0)],
        ],
        [("x", '{"x":1}'), ("y", '{"y":1}')],
    ),
    (
        "by id alone",
        [[piece("x", "{}", call_id="a"), piece("y", "{}", call_id="b")]],
        [("x", "{}"), ("y", "{}")],
    ),
    (
        "by nothing, whole in one",
        [[piece("x", '{"q":1}')], [piece("y", '{"r":2}')]],
        [("x", '{"q":1}'), ("y", '{"r":2}')],
    ),
    (
        "by nothing, in pieces",
        [[piece("x", '{"q"')], [piece(None, ":1}")]],
        [("x", '{"q":1}')],
    ),
    (
        "all numbered 0, with ids",
        [
            [piece("x", '{"q"', index=0, call_id="a")],
            [piece(None, ":1}", index=0)],
            [piece("y", "", index=0, call_id="b")],
            [piece(None, '{"r":2}', index=0)],
        ],
        [("x", '{"q":1}'), ("y", '{"r":2}')],
    ),
    (
        "all numbered 0, without ids",
        [[piece("x", '{"q":1}', index=0)], [piece("x", '{"q":2}', index=0)]],
        [("x", '{"q":1}'), ("x", '{"q":2}')],
    ),
    (
        "name and id repeated with every piece",
        [[piece("x", '{"q"', index=0, call_id="a")], [piece("x", ":1}", index=0, call_id="a")]],
        [("x", '{"q":1}')],
    ),
    (
        "empty names and ids afterwards",
        [[piece("x", "", index=0, call_id="a")], [piece("", "{}", index=0, call_id="")]],
        [("x", "{}")],
    ),
    ("numbered from 1", [[piece("x", "{}", index=1, call_id="a")]], [("x", "{}")]),
    ("arguments as an object", [[piece("x", {"q": 1}, index=0)]], [("x", '{"q":1}')]),
    (
        "one id for two calls",
        [[piece("x", "{}", call_id="s"), piece("y", "{}", call_id="s")]],
        [("x", "{}"), ("y", "{}")],
    ),
]


@pytest.mark.parametrize(
    ("pieces", "calls"), [each[1:] for each in CASES], ids=[c[0] for c in CASES]
)
def test_tool_calls_are_put_together(
    pieces: list[list[dict[str, Any]]], calls: list[tuple[str, str]]
):
    message = heard(*({"delta": {"tool_calls": each}} for each in pieces), STOP)
    assert [(each.name, each.arguments) for each in message.tool_calls] == calls
    assert len({each.id for each in message.tool_calls}) == len(calls)
    assert message.finish == "tool_calls"


def test_the_old_function_call_is_understood():
    call = {"name": "x", "arguments": "{}"}
    message = heard({"delta": {"function_call": call}}, STOP)
    assert message.tool_calls[0].name == "x"


def test_content_in_parts_is_understood():
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    message = heard({"delta": {"content": [thought, {"type": "text", "text": "Yes."}]}}, STOP)
    assert message.content == "Yes."
    assert message.reasoning[0].text == "Hm."


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking", "reasoning_text"])
def test_reasoning_is_found_wherever_a_server_puts_it(field: str):
    message = heard({"delta": {field: "Hm."}}, {"delta": {"content": "Yes."}}, STOP)
    assert (message.reasoning[0].text, message.content) == ("Hm.", "Yes.")


def test_reasoning_that_comes_twice_counts_once():
    details = [{"type": "reasoning.text", "text": "Hm."}]
    message = heard({"delta": {"reasoning": "Hm.", "reasoning_details": details}}, STOP)
    assert message.reasoning[0].text == "Hm."


def test_an_error_inside_a_choice_is_an_error():
    with pytest.raises(RateLimited):
        heard({"delta": {"content": "x"}, "error": {"code": 429, "message": "slow"}})


def test_the_finish_reason_error_is_no_end():
    with pytest.raises(StreamBroken):
        heard({"delta": {"content": "x"}, "finish_reason": "error"})
