"""The anthropic client."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import anthropic

from tests.contract.servers.oracles.heard import PIXEL, SCHEMA, Heard
from tests.servers.model import ModelServer


class Anthropic:
    """The whole answer."""

    dialect = "anthropic"
    streams = False
    finishes: ClassVar[Mapping[str, str]] = {
        "stop": "end_turn",
        "tool_calls": "tool_use",
        "length": "max_tokens",
        "content_filter": "refusal",
    }
    refused: type[Exception] = anthropic.APIStatusError
    base: type[Exception] = anthropic.AnthropicError

    def __init__(self, server: ModelServer) -> None:
        self.client = anthropic.Anthropic(
            base_url=server.root_url, api_key="key", max_retries=0, timeout=10
        )

    def close(self) -> None:
        self.client.close()

    def status_of(self, error: Exception) -> int:
        return cast("anthropic.APIStatusError", error).status_code

    def arguments(self) -> dict[str, Any]:
        source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
        content = [{"type": "text", "text": "hi"}, {"type": "image", "source": source}]
        return {
            "model": "scripted-model",
            "max_tokens": 2048,
            "messages": [{"role": "user", "content": content}],
            "tools": [{"name": "terminal", "description": "Run.", "input_schema": SCHEMA}],
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        }

    def ask(self) -> Heard:
        create: Any = self.client.messages.create
        return self.understood(create(**self.arguments()))

    def understood(self, message: Any) -> Heard:
        heard = Heard(finish=message.stop_reason)
        for block in message.content:
            if block.type == "text":
                heard.text += block.text
            elif block.type == "thinking":
                heard.reasoning += block.thinking
                heard.signature = block.signature
            elif block.type == "tool_use":
                heard.calls.append((block.id, block.name, block.input))
        usage = message.usage
        heard.cache_read = usage.cache_read_input_tokens
        heard.input = usage.input_tokens + heard.cache_read + usage.cache_creation_input_tokens
        heard.output = usage.output_tokens
        return heard


class AnthropicStream(Anthropic):
    """The streamed answer."""

    streams = True

    def ask(self) -> Heard:
        start: Any = self.client.messages.stream
        with start(**self.arguments()) as stream:
            pieces: list[str] = list(stream.text_stream)
            heard = self.understood(stream.get_final_message())
        assert "".join(pieces) == heard.text
        heard.text_pieces = len(pieces)
        return heard
