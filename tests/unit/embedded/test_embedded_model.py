"""The model port over a scripted chat server."""

from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from hermes_agent.domain.errors import BadResponse, ContextOverflow, ModelError
from hermes_agent.domain.messages import Message
from hermes_agent.domain.model import CallDelta, Delta, Finished, Request, Retrying, ToolSpec
from hermes_agent.domain.model import TextDelta as Text
from hermes_agent.domain.ports import Model
from hermes_agent.providers.embedded.address import Address
from hermes_agent.providers.embedded.model import EmbeddedModel
from tests.unit.embedded.chat import Chat, chatting

CALL = '{"name": "terminal", "arguments": {"command": "ls"}}'


@pytest.fixture
def chat() -> Iterator[Chat]:
    with chatting() as running:
        yield running


@pytest.fixture
async def model(chat: Chat) -> AsyncIterator[EmbeddedModel]:
    async def server() -> Address:
        return chat.address

    opened = EmbeddedModel(server, model="tiny", context_length=4096, cwd="/work")
    yield opened
    await opened.close()


def request(*, tools: tuple[str, ...] = ("terminal", "patch")) -> Request:
    return Request(
        system="A very long prompt for large models",
        messages=(Message(role="user", content="what is here?", timestamp=1_700_000_000.0),),
        tools=tuple(ToolSpec(name, "text", msgspec.Raw(b"{}")) for name in tools),
    )


async def collect(model: Model, asked: Request) -> list[Delta]:
    return [delta async for delta in model.stream(asked)]


def last(deltas: list[Delta]) -> Message:
    assert isinstance(deltas[-1], Finished)
    return deltas[-1].message


async def test_text_streams_and_ends_with_usage(chat: Chat, model: EmbeddedModel) -> None:
    chat.answers = [["Good ", "morning, ", "and a fine day to you."]]
    deltas = await collect(model, request())
    assert sum(isinstance(delta, Text) for delta in deltas) >= 2
    message = last(deltas)
    assert message.content == "Good morning, and a fine day to you."
    assert message.finish == "stop"
    assert message.usage is not None
    assert (message.usage.input, message.usage.cache_read, message.usage.output) == (620, 600, 3)
    assert message.model == "tiny (basic offline model)"


async def test_a_call_is_found_and_what_is_made_up_after_it_is_not_awaited(
    chat: Chat, model: EmbeddedModel
) -> None:
    chat.answers = [[CALL[:20], CALL[20:], "\n", CALL, "\nTool output: invented"]]
    deltas = await collect(model, request())
    message = last(deltas)
    assert CallDelta(0, "terminal", '{"command": "ls"}') in deltas
    assert [call.name for call in message.tool_calls] == ["terminal"]
    assert message.content == ""
    assert message.finish == "tool_calls"


async def test_a_tool_that_it_was_not_given_is_not_called(chat: Chat, model: EmbeddedModel) -> None:
    chat.answers = [[CALL]]
    message = last(await collect(model, request(tools=("patch",))))
    assert (message.content, message.tool_calls) == (CALL, ())


async def test_a_call_cut_by_the_token_limit_is_text(chat: Chat, model: EmbeddedModel) -> None:
    chat.answers, chat.finish = [[CALL[:-1]]], ["length"]
    message = last(await collect(model, request()))
    assert (message.content, message.tool_calls, message.finish) == (CALL[:-1], (), "length")


async def test_the_request_carries_its_own_prompt_the_key_and_temperature_zero(
    chat: Chat, model: EmbeddedModel
) -> None:
    chat.answers = [["a"], ["b"]]
    await collect(model, request())
    await collect(model, request())
    first, second = chat.requests
    assert first == second
    assert chat.keys == ["Bearer secret"] * 2
    assert first["temperature"] == 0
    assert "tools" not in first
    assert first["messages"][0]["content"] == model.system_prompt(frozenset({"terminal"}))
    asked = first["messages"][-1]["content"]
    assert "/work" in asked
    assert "2023" in asked
    assert "very long prompt" not in str(first)


async def test_a_server_error_is_retried_once(chat: Chat, model: EmbeddedModel) -> None:
    failure = b'{"error": {"message": "odd output", "type": "server_error"}}'
    chat.answers = [(500, failure), ["all well"]]
    deltas = await collect(model, request())
    assert isinstance(deltas[0], Retrying)
    assert last(deltas).content == "all well"
    chat.answers = [(500, failure), (500, b"<html>")]
    with pytest.raises(BadResponse):
        await collect(model, request())


async def test_an_answer_that_breaks_off_is_asked_for_again(
    chat: Chat, model: EmbeddedModel
) -> None:
    chat.answers, chat.finish = [["half an ans"], ["a whole answer"]], [None, "stop"]
    deltas = await collect(model, request())
    assert any(isinstance(delta, Retrying) for delta in deltas)
    assert last(deltas).content == "a whole answer"


async def test_a_server_that_died_is_looked_for_again(chat: Chat) -> None:
    chat.answers = [["here I am"]]
    gone = msgspec.structs.replace(chat.address, url="http://127.0.0.1:9")
    addresses = [gone, chat.address]

    async def server() -> Address:
        return addresses.pop(0)

    model = EmbeddedModel(server, model="tiny", context_length=4096)
    try:
        assert last(await collect(model, request())).content == "here I am"
    finally:
        await model.close()


async def test_a_conversation_that_is_too_long_is_an_overflow(
    chat: Chat, model: EmbeddedModel
) -> None:
    chat.answers = [
        (400, b'{"error": {"message": "too long", "type": "exceed_context_size_error"}}')
    ]
    with pytest.raises(ContextOverflow) as caught:
        await collect(model, request())
    assert isinstance(caught.value, ModelError)
    assert len(chat.requests) == 1
