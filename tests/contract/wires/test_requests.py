"""What every wire asks: lawful by the vendors' own types, and the same bytes from call to call."""

from typing import Any

import msgspec
import pytest
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from google.genai import types as google
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from pydantic import ConfigDict, TypeAdapter, with_config

from hermes_agent.domain.messages import Image, Message, Reasoning, ToolCall
from hermes_agent.domain.model import Effort, Request, ToolSpec
from hermes_agent.providers.target import Target
from hermes_agent.providers.vendor import WireName
from hermes_agent.providers.wires.contract import load_wire
from tests.contract.wires.conftest import MODELS, Talk, aim, ask
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply

TOOLS = (
    ToolSpec(
        "terminal", "Run.", msgspec.Raw(b'{"type":"object","properties":{"c":{"type":"string"}}}')
    ),
    ToolSpec("todo", "List.", msgspec.Raw(b'{"type":"object","properties":{}}')),
)
PICTURE = Image("image/png", b"\x89PNG")
CONVERSATION = (
    Message(role="user", content="Look at this.", images=(PICTURE,)),
    Message(
        role="assistant",
        content="I look.",
        tool_calls=(ToolCall("c1", "terminal", '{"c":"ls"}'), ToolCall("c2", "todo", "{bad")),
    ),
    Message(role="tool", content="a.txt", tool_call_id="c1", tool_name="terminal"),
    Message(
        role="tool",
        content="\x1b[31mred\x00",
        tool_call_id="c2",
        tool_name="todo",
        images=(PICTURE,),
    ),
    Message(role="assistant", content="", tool_calls=(ToolCall("c3", "todo", "{}"),)),
    Message(role="tool", content="", tool_call_id="c3", tool_name="todo"),
    Message(role="assistant", content="Done."),
    Message(role="user", content=""),
    Message(role="assistant", content="", reasoning=(Reasoning("only thought"),)),
    Message(role="user", content="Half a pair: \udcff."),
)
EXTRAS: dict[WireName, set[str]] = {
    "chat_completions": {"reasoning"},  # OpenRouter's own
    "responses": set(),
    "anthropic": set(),
    "gemini": set(),
}


@pytest.fixture
def target(wire: WireName) -> Target:
    return aim(wire, "http://127.0.0.1:1")


def body(target: Target, request: Request) -> dict[str, Any]:
    return msgspec.json.decode(load_wire(target.wire).encode(target, request))


def lawful(wire: WireName, said: dict[str, Any]) -> None:
    """Raises where the vendor's own types do not hold, unknown top-level fields included."""
    said = {key: value for key, value in said.items() if key not in EXTRAS[wire]}
    if wire == "gemini":
        for content in said["contents"]:
            google.Content.model_validate(content)
        google.Content.model_validate(said["systemInstruction"])
        for tool in said.get("tools", ()):
            google.Tool.model_validate(tool)
        google.GenerationConfig.model_validate(said.get("generationConfig", {}))
        known = {"contents", "systemInstruction", "tools", "generationConfig"}
        assert set(said) <= known
        return
    kind: Any = {
        "chat_completions": CompletionCreateParamsStreaming,
        "responses": ResponseCreateParamsStreaming,
        "anthropic": MessageCreateParamsStreaming,
    }[wire]
    closed = with_config(ConfigDict(extra="forbid"))(kind)
    TypeAdapter(closed).validate_python(said)


def _marks_removed(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _marks_removed(v) for k, v in value.items() if k != "cache_control"}  # pyright: ignore[reportUnknownVariableType]
    return [_marks_removed(each) for each in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


@pytest.mark.parametrize("effort", [None, "none", "minimal", "low", "high", "xhigh"])
def test_a_request_satisfies_the_vendors_own_types(
    wire: WireName, target: Target, effort: Effort | None
):
    request = ask(
        messages=CONVERSATION,
        tools=TOOLS,
        effort=effort,
        max_tokens=30_000,
        temperature=0.5,
        session_id="20261122_101010_abcdef",
    )
    said = body(target, request)
    if wire == "chat_completions":
        # cache_control on chat-completions is OpenRouter's own.
        said = _marks_removed(said)
    lawful(wire, said)


def test_a_field_that_the_vendor_does_not_know_would_be_noticed(wire: WireName, target: Target):
    said = body(target, ask()) | {"no_such_field": 1}
    with pytest.raises((ValueError, AssertionError)):
        lawful(wire, said)


def test_a_conversation_that_grows_leaves_what_was_sent_as_it_was(wire: WireName, target: Target):
    """The share of bytes that repeat decides what a turn costs."""
    messages = [Message(role="user", content="Begin. " * 50)]
    before = load_wire(wire).encode(target, ask(messages=tuple(messages), tools=TOOLS))
    for number in range(20):
        call = ToolCall(f"c{number}", "terminal", f'{{"c":"echo {number}"}}')
        messages += [
            Message(role="assistant", content="I try.", tool_calls=(call,), model=target.model),
            Message(role="tool", content="out " * 200, tool_call_id=call.id, tool_name="terminal"),
        ]
        after = load_wire(wire).encode(target, ask(messages=tuple(messages), tools=TOOLS))
        old, new = msgspec.json.decode(before), msgspec.json.decode(after)
        for key in ("messages", "input", "contents"):
            if key in old:
                earlier = _marks_removed(old.pop(key))
                assert _flat(_marks_removed(new.pop(key))[: len(earlier)]) == _flat(earlier)
        assert new == old
        assert list(new) == list(old)
        if not target.caches_blocks:
            end = before.rindex(b"]")
            assert after[:end] == before[:end]
        before = after


def _flat(messages: Any) -> Any:
    """A text and a single text block say the same."""
    return [
        {**each, "content": [{"type": "text", "text": each["content"]}]}
        if isinstance(each.get("content"), str)
        else each
        for each in messages
    ]


def test_the_same_request_is_the_same_bytes(wire: WireName, target: Target):
    request = ask(messages=CONVERSATION, tools=TOOLS, effort="high")
    encode = load_wire(wire).encode
    assert encode(target, request) == encode(target, request)


@pytest.mark.parametrize("wire", ["anthropic", "chat_completions"])
def test_breakpoints_stand_on_the_system_prompt_and_the_last_messages(
    wire: WireName, target: Target
):
    raw = load_wire(wire).encode(target, ask(messages=CONVERSATION, tools=TOOLS))
    assert raw.count(b'"cache_control"') == 3
    said = msgspec.json.decode(raw)
    system = said["system"] if wire == "anthropic" else said["messages"][0]["content"]
    assert system[-1]["cache_control"] == {"type": "ephemeral"}
    assert said["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}


def test_a_long_cache_is_asked_for_by_name(target: Target):
    if not target.caches_blocks:
        pytest.skip("places no breakpoints")
    longer = msgspec.structs.replace(target, cache_ttl="1h")
    assert b'{"type":"ephemeral","ttl":"1h"}' in load_wire(target.wire).encode(longer, ask())


def test_other_makers_models_get_no_breakpoints_through_openrouter():
    target = msgspec.structs.replace(
        aim("chat_completions", "http://127.0.0.1:1"), model="openai/gpt-5"
    )
    assert b"cache_control" not in load_wire("chat_completions").encode(target, ask())


def test_openai_is_told_the_session_for_its_cache():
    target = aim("responses", "http://127.0.0.1:1")
    said = body(target, ask(session_id="s-1"))
    assert said["prompt_cache_key"] == "s-1"
    assert said["store"] is False


async def test_reasoning_state_goes_back_as_it_came(talk: Talk, server: ModelServer):
    server.say(
        Reply(
            reasoning="Let me see.",
            signature="c2lnbmVk",
            redacted="aGlkZGVu",
            calls=[Call("todo", {}, signature="Y2FsbA==")],
            reasoning_field="reasoning_details",
        ),
        Reply(text="Done."),
    )
    first = (await talk.hear(ask(tools=TOOLS, effort="low"))).message
    history = (
        Message(role="user", content="Go."),
        first,
        Message(role="tool", content="ok", tool_call_id=first.tool_calls[0].id, tool_name="todo"),
    )
    request = ask(messages=history, tools=TOOLS, effort="low")
    await talk.hear(request)
    sent = server.requests[1].payload
    match talk.target.wire:
        case "chat_completions":
            (detail, *_) = sent["messages"][2]["reasoning_details"]
            assert detail["text"] == "Let me see."
        case "responses":
            (item,) = [each for each in sent["input"] if each["type"] == "reasoning"]
            assert item["encrypted_content"] == "c2lnbmVk"
            assert item["summary"] == [{"type": "summary_text", "text": "Let me see."}]
        case "anthropic":
            blocks = sent["messages"][1]["content"]
            assert {
                "type": "thinking",
                "thinking": "Let me see.",
                "signature": "c2lnbmVk",
            } in blocks
            assert {"type": "redacted_thinking", "data": "aGlkZGVu"} in blocks
            assert blocks[-1]["type"] == "tool_use"
        case "gemini":
            assert sent["contents"][1]["parts"][-1]["thoughtSignature"] == "Y2FsbA=="
    # Another model cannot read it.
    other = msgspec.structs.replace(talk.target, model="another-model-9")
    raw = load_wire(other.wire).encode(other, request)
    assert b"c2lnbmVk" not in raw
    assert b"Y2FsbA==" not in raw


@pytest.mark.parametrize("maker", list(MODELS))
async def test_another_wires_reasoning_state_is_left_out(
    maker: WireName, talk: Talk, server: ModelServer
):
    history = (
        Message(role="user", content="Go."),
        Message(
            role="assistant",
            content="Hm.",
            reasoning=(Reasoning("thought", '{"type":"x","secret":"state"}', maker),),
            model=talk.target.model,
        ),
        Message(role="user", content="On."),
    )
    raw = load_wire(talk.target.wire).encode(talk.target, ask(messages=history))
    assert (b'"secret"' in raw) == (maker == talk.target.wire)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-4-6", {"type": "adaptive", "display": "summarized"}),
        ("claude-sonnet-4-5-20250929", {"type": "enabled", "budget_tokens": 8_192}),
        ("claude-sonnet-4-20250514", {"type": "enabled", "budget_tokens": 8_192}),
        ("claude-3-7-sonnet-latest", {"type": "enabled", "budget_tokens": 8_192}),
        ("claude-3-5-haiku-latest", None),
        ("MiniMax-M2.1", {"type": "enabled", "budget_tokens": 8_192}),
    ],
)
def test_claude_is_asked_to_think_in_the_way_of_its_version(
    model: str, expected: dict[str, object] | None
):
    target = msgspec.structs.replace(aim("anthropic", "http://127.0.0.1:1"), model=model)
    assert body(target, ask(effort="medium")).get("thinking") == expected


def test_a_tool_loop_begun_by_another_model_goes_on_without_thinking():
    target = aim("anthropic", "http://127.0.0.1:1")
    messages = (
        Message(role="user", content="Go."),
        Message(role="assistant", tool_calls=(ToolCall("c1", "todo", "{}"),), model="gpt-5"),
        Message(role="tool", content="ok", tool_call_id="c1", tool_name="todo"),
    )
    assert "thinking" not in body(target, ask(messages=messages, effort="high"))
