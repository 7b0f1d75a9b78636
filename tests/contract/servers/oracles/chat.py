"""The openai client on chat-completions."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import openai

from tests.contract.servers.oracles.heard import PIXEL, SCHEMA, Heard, parsed
from tests.servers.model import ModelServer


class Chat:
    """The whole answer."""

    dialect = "chat"
    streams = False
    finishes: ClassVar[Mapping[str, str]] = {
        "stop": "stop",
        "tool_calls": "tool_calls",
        "length": "length",
        "content_filter": "content_filter",
    }
    refused: type[Exception] = openai.APIStatusError
    base: type[Exception] = openai.OpenAIError

    def __init__(self, server: ModelServer) -> None:
        self.client = openai.OpenAI(
            base_url=server.base_url, api_key="key", max_retries=0, timeout=10
        )

    def close(self) -> None:
        self.client.close()

    def status_of(self, error: Exception) -> int:
        return cast("openai.APIStatusError", error).status_code

    def arguments(self) -> dict[str, Any]:
        image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
        function = {"name": "terminal", "description": "Run.", "parameters": SCHEMA}
        return {
            "model": "scripted-model",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, image]}],
            "tools": [{"type": "function", "function": function}],
        }

    def ask(self) -> Heard:
        create: Any = self.client.chat.completions.create
        answer = create(**self.arguments())
        choice = answer.choices[0]
        heard = Heard(
            text=choice.message.content or "",
            reasoning=getattr(choice.message, "reasoning_content", ""),
            calls=[
                (call.id, call.function.name, parsed(call.function.arguments))
                for call in choice.message.tool_calls or ()
            ],
            finish=choice.finish_reason,
        )
        return self.counted(heard, answer.usage)

    def counted(self, heard: Heard, usage: Any) -> Heard:
        heard.input = usage.prompt_tokens
        heard.output = usage.completion_tokens
        heard.cache_read = usage.prompt_tokens_details.cached_tokens
        heard.thought = usage.completion_tokens_details.reasoning_tokens
        return heard


class ChatStream(Chat):
    """The streamed answer."""

    streams = True

    def ask(self) -> Heard:
        heard = Heard()
        names: dict[int, list[str]] = {}
        create: Any = self.client.chat.completions.create
        options = {"include_usage": True}
        with create(**self.arguments(), stream=True, stream_options=options) as stream:
            for chunk in stream:
                if chunk.usage:
                    self.counted(heard, chunk.usage)
                for choice in chunk.choices:
                    heard.text += choice.delta.content or ""
                    heard.text_pieces += bool(choice.delta.content)
                    heard.reasoning += getattr(choice.delta, "reasoning_content", "")
                    heard.finish = choice.finish_reason or heard.finish
                    for call in choice.delta.tool_calls or ():
                        known = names.setdefault(
                            call.index, [call.id, call.function.name or "", ""]
                        )
                        known[2] += call.function.arguments
        heard.calls = [(i, name, parsed(text)) for i, name, text in names.values()]
        return heard
