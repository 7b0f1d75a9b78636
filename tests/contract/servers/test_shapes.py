"""What the scripted server sends satisfies the vendors' published types, field by field."""

import json
import urllib.request
from typing import Any, cast

import pytest
from anthropic.types import Message, ModelInfo, RawMessageStreamEvent
from google.genai.types import GenerateContentResponse
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply, Usage

REPLIES = {
    "text": Reply(text="hello"),
    "nothing": Reply(),
    "everything": Reply(
        text="I look",
        reasoning="Let me think about it for a while.",
        calls=[Call("terminal", {"command": "ls"}), Call("read_file", {"path": "a"})],
        usage=Usage(input=100, output=50, cache_read=20, cache_write=10, reasoning=9),
    ),
    "cut": Reply(text="I was going", finish="length"),
}
PATHS = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/m:generateContent",
    "gemini-stream": "/v1beta/models/m:streamGenerateContent?alt=sse",
}
TYPES: dict[str, tuple[Any, Any]] = {
    "chat": (ChatCompletion, ChatCompletionChunk),
    "responses": (Response, ResponseStreamEvent),
    "anthropic": (Message, RawMessageStreamEvent),
    "gemini": (GenerateContentResponse, GenerateContentResponse),
}


def ask(url: str, body: dict[str, Any] | None = None, **headers: str) -> str:
    """The body of an answer over a plain HTTP client."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
        return cast("bytes", answer.read()).decode()


def events(server: ModelServer, dialect: str) -> list[tuple[str | None, str]]:
    """The (event, data) pairs of a stream."""
    options = {"include_usage": True}
    body = {"model": "m", "stream": True, "stream_options": options}
    path = PATHS.get(f"{dialect}-stream", PATHS[dialect])
    pairs: list[tuple[str | None, str]] = []
    for block in ask(server.root_url + path, body).split("\n\n")[:-1]:
        lines = dict(cast("tuple[str, str]", line.split(": ", 1)) for line in block.split("\n"))
        pairs.append((lines.get("event"), lines["data"]))
    return pairs


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("dialect", TYPES)
def test_whole_answers_validate(server: ModelServer, dialect: str, reply: str) -> None:
    server.say(REPLIES[reply])
    body = ask(server.root_url + PATHS[dialect], {"model": "m"})
    TypeAdapter[Any](TYPES[dialect][0]).validate_python(json.loads(body))


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("dialect", TYPES)
def test_every_event_of_a_stream_validates(server: ModelServer, dialect: str, reply: str) -> None:
    server.say(REPLIES[reply])
    adapter = TypeAdapter[Any](TYPES[dialect][1])
    for event, data in events(server, dialect):
        if event != "ping" and data != "[DONE]":
            value = json.loads(data)
            adapter.validate_python(value)
            assert event is None or event == value["type"]


def test_chat_streams_open_with_the_role_and_end_with_usage_and_done(server: ModelServer) -> None:
    server.say(Reply(text="hi"))
    *chunks, end = [data for _, data in events(server, "chat")]
    first, *_, finish, usage = [json.loads(chunk) for chunk in chunks]
    assert end == "[DONE]"
    assert first["choices"][0]["delta"]["role"] == "assistant"
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert usage["choices"] == []
    assert usage["usage"]["prompt_tokens"] > 0


def test_anthropic_events_come_in_the_documented_order(server: ModelServer) -> None:
    server.say(Reply(text="hi", calls=[Call("terminal", '{"a"')]))
    assert [event for event, _ in events(server, "anthropic")] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_responses_events_come_in_the_documented_order(server: ModelServer) -> None:
    server.say(Reply(text="hi", reasoning="hm", calls=[Call("terminal", "{}")]))
    assert [event for event, _ in events(server, "responses")] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]


def test_arguments_that_are_no_json_are_sent_as_they_stand(server: ModelServer) -> None:
    server.say(Reply(calls=[Call("terminal", '{"command": "ls')]))
    body = json.loads(ask(server.root_url + PATHS["chat"], {"model": "m"}))
    function = body["choices"][0]["message"]["tool_calls"][0]["function"]
    assert function["arguments"] == '{"command": "ls'


def test_lists_of_models_have_each_vendors_shape(server: ModelServer) -> None:
    server.models = ["one", "two"]
    openai = json.loads(ask(f"{server.base_url}/models"))
    assert [Model.model_validate(each).id for each in openai["data"]] == ["one", "two"]
    version = {"anthropic-version": "2023-06-01"}
    anthropic = json.loads(ask(f"{server.base_url}/models", None, **version))
    assert [ModelInfo.model_validate(each).id for each in anthropic["data"]] == ["one", "two"]
    gemini = json.loads(ask(f"{server.root_url}/v1beta/models"))
    assert [each["name"] for each in gemini["models"]] == ["models/one", "models/two"]
    ollama = json.loads(ask(f"{server.root_url}/api/tags"))
    assert [each["name"] for each in ollama["models"]] == ["one", "two"]
