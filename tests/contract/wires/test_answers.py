"""What every wire makes of an answer."""

import asyncio
import threading

import msgspec
import pytest

from hermes_agent.domain.errors import BadResponse, ContentRefused
from hermes_agent.domain.messages import Image, Message, ToolCall, Usage
from hermes_agent.domain.model import TextDelta, ToolSpec
from tests.contract.wires.conftest import KEY, Talk, ask
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply
from tests.servers.script import Usage as Said

TOOL = ToolSpec(
    "terminal",
    "Run a command.",
    msgspec.Raw(b'{"type":"object","properties":{"command":{"type":"string"}}}'),
)


async def test_text_arrives_piece_by_piece(talk: Talk, server: ModelServer):
    server.say(Reply(text="Good morning, Käthe ☕.", chunks=5))
    heard = await talk.hear()
    assert heard.text == "Good morning, Käthe ☕."
    assert len(heard.texts) > 3
    assert heard.message.content == heard.text
    assert heard.message.finish == "stop"
    assert heard.message.role == "assistant"
    assert heard.message.model == talk.target.model


async def test_a_piece_is_shown_before_the_next_one_is_sent(talk: Talk, server: ModelServer):
    hold = threading.Event()
    server.say(Reply(text="one two", chunks=["one ", "two"], hold=hold))
    texts: list[str] = []
    async with asyncio.timeout(10):
        async for delta in talk.model().stream(ask()):
            if isinstance(delta, TextDelta):
                texts.append(delta.text)
                hold.set()
    assert texts == ["one ", "two"]


async def test_reasoning_is_told_apart_from_the_answer(talk: Talk, server: ModelServer):
    server.say(Reply(text="42.", reasoning="Let me think about it.", chunks=6))
    heard = await talk.hear(ask(effort="low"))
    assert heard.reasoning == "Let me think about it."
    assert heard.text == "42."
    assert "".join(each.text for each in heard.message.reasoning) == "Let me think about it."
    assert heard.message.content == "42."


async def test_parallel_tool_calls_come_in_order(talk: Talk, server: ModelServer):
    calls = [Call("terminal", {"command": f"echo {n}"}) for n in range(3)]
    server.say(Reply(text="I look.", calls=calls))
    heard = await talk.hear(ask(tools=(TOOL,)))
    message = heard.message
    assert message.finish == "tool_calls"
    assert message.content == "I look."
    said = [(each.name, msgspec.json.decode(each.arguments)) for each in message.tool_calls]
    assert said == [("terminal", {"command": f"echo {n}"}) for n in range(3)]
    assert heard.calls == [(each.name, each.arguments) for each in message.tool_calls]
    assert len({each.id for each in message.tool_calls}) == 3


async def test_a_call_without_arguments_has_an_empty_object(talk: Talk, server: ModelServer):
    server.say(Reply(calls=[Call("todo")]))
    heard = await talk.hear()
    assert heard.message.tool_calls[0].arguments == "{}"


async def test_calls_of_one_id_get_ids_of_their_own(talk: Talk, server: ModelServer):
    server.say(Reply(calls=[Call("a", {"x": 1}, id="same"), Call("b", {"x": 2}, id="same")]))
    calls = (await talk.hear()).message.tool_calls
    assert [each.name for each in calls] == ["a", "b"]
    assert calls[0].id == "same"
    assert calls[1].id not in ("", "same")


async def test_a_call_without_an_id_gets_one(talk: Talk, server: ModelServer):
    server.say(Reply(calls=[Call("a", {"x": 1}, id="")]))
    assert (await talk.hear()).message.tool_calls[0].id


async def test_bad_json_in_arguments_is_passed_on_as_it_is(talk: Talk, server: ModelServer):
    server.say(Reply(calls=[Call("terminal", '{"command": "ls')]))
    assert (await talk.hear()).message.tool_calls[0].arguments == '{"command": "ls'


async def test_bad_arguments_in_the_history_go_back_as_an_object(talk: Talk, server: ModelServer):
    server.say(Reply(text="I see."))
    call = ToolCall("call_1", "terminal", '{"command": "ls')
    messages = (
        Message(role="user", content="Go."),
        Message(role="assistant", tool_calls=(call,)),
        Message(role="tool", content="bad", tool_call_id="call_1", tool_name="terminal"),
    )
    await talk.hear(ask(messages=messages))
    body = server.requests[0].body
    assert b'{\\"command\\": \\"ls' in body or b'{\\\\\\"command\\\\\\": \\\\\\"ls' in body


async def test_usage_is_the_vendors_own_count(talk: Talk, server: ModelServer):
    server.say(Reply(text="x", usage=Said(input=1000, output=50, cache_read=600, reasoning=20)))
    usage = (await talk.hear()).message.usage
    assert usage is not None
    assert (usage.input, usage.output, usage.cache_read) == (1000, 50, 600)
    # Anthropic counts reasoning as output, without saying how much.
    assert usage.reasoning == (0 if talk.target.wire == "anthropic" else 20)


async def test_without_usage_the_answer_still_counts(talk: Talk, server: ModelServer):
    from tests.servers.script import Fault

    server.say(Fault.stream("no-usage", reply=Reply(text="x")))
    message = (await talk.hear()).message
    assert message.content == "x"
    assert message.usage in (None, Usage())


async def test_a_truncated_answer_says_length(talk: Talk, server: ModelServer):
    server.say(Reply(text="The beginning of", finish="length"))
    message = (await talk.hear()).message
    assert message.finish == "length"
    assert message.content == "The beginning of"


async def test_a_call_that_was_cut_off_says_length(talk: Talk, server: ModelServer):
    server.say(Reply(calls=[Call("terminal", '{"command": "ec')], finish="length"))
    assert (await talk.hear()).message.finish == "length"


async def test_a_filtered_answer_says_so(talk: Talk, server: ModelServer):
    server.say(Reply(text="Some of it", finish="content_filter"))
    assert (await talk.hear()).message.finish == "content_filter"


async def test_a_filter_that_leaves_nothing_is_a_refusal(talk: Talk, server: ModelServer):
    server.say(Reply(text="", finish="content_filter"))
    with pytest.raises(ContentRefused):
        await talk.hear()


async def test_an_empty_answer_is_a_bad_response(talk: Talk, server: ModelServer):
    server.say(Reply(text=""))
    with pytest.raises(BadResponse, match="empty answer"):
        await talk.hear()


async def test_a_server_that_does_not_stream_is_understood(talk: Talk, server: ModelServer):
    body = await _whole_body(talk, server)
    from tests.servers.script import Fault

    server.say(Fault.raw(body))
    heard = await talk.hear()
    assert heard.message.content == "All at once."
    assert heard.message.tool_calls[0].name == "terminal"
    assert msgspec.json.decode(heard.message.tool_calls[0].arguments) == {"command": "ls"}
    assert heard.message.reasoning[0].text == "Hm."


async def _whole_body(talk: Talk, server: ModelServer) -> bytes:
    server.say(
        Reply(text="All at once.", reasoning="Hm.", calls=[Call("terminal", {"command": "ls"})])
    )
    url, body = "", {}
    match talk.target.wire:
        case "chat_completions":
            url, body = f"{server.base_url}/chat/completions", {"model": "m"}
        case "responses":
            url, body = f"{server.base_url}/responses", {"model": "m"}
        case "anthropic":
            url, body = f"{server.base_url}/messages", {"model": "m"}
        case "gemini":
            url = f"{server.root_url}/v1beta/models/m:generateContent"
    answer = await talk.client.post(
        url, json={**body, "messages": [], "input": [], "contents": [], "max_tokens": 1}
    )
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_the_key_travels_in_a_header_and_never_in_the_url(talk: Talk, server: ModelServer):
    server.say(Reply(text="x"))
    await talk.hear()
    request = server.requests[0]
    assert KEY not in request.path
    assert KEY.encode() not in request.body
    assert any(KEY in value for value in request.headers.values())


async def test_a_picture_goes_with_its_message(talk: Talk, server: ModelServer):
    server.say(Reply(text="A cat."))
    image = Image("image/png", b"\x89PNG-bytes")
    await talk.hear(ask(messages=(Message(role="user", content="What?", images=(image,)),)))
    body = server.requests[0].body
    assert b"iVBORy1ieXRlcw==" in body
    assert b"image/png" in body


async def test_one_connection_serves_many_requests(talk: Talk, server: ModelServer):
    server.say(*[Reply(text=f"{n}") for n in range(3)])
    for _ in range(3):
        await talk.hear()
    assert server.connections == 1


async def test_cancelling_closes_the_connection_at_once(talk: Talk, server: ModelServer):
    reached = threading.Event()
    server.say(
        Reply(text="one two", chunks=["one ", "two"], hold=threading.Event(), reached=reached)
    )
    task = asyncio.create_task(talk.hear())
    await asyncio.to_thread(reached.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(server.requests[0].hung_up.wait, 1)
