"""The openai client on Responses."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.contract.servers.oracles.chat import Chat
from tests.contract.servers.oracles.heard import PIXEL, SCHEMA, Heard, parsed


class Responses(Chat):
    """The whole answer."""

    dialect = "responses"
    finishes: ClassVar[Mapping[str, str]] = {
        "stop": "completed",
        "tool_calls": "completed",
        "length": "max_output_tokens",
        "content_filter": "content_filter",
    }

    def arguments(self) -> dict[str, Any]:
        image = {
            "type": "input_image",
            "detail": "auto",
            "image_url": f"data:image/png;base64,{PIXEL}",
        }
        tool = {"type": "function", "name": "terminal", "parameters": SCHEMA, "strict": False}
        text = {"type": "input_text", "text": "hi"}
        return {
            "model": "scripted-model",
            "input": [{"role": "user", "content": [text, image]}],
            "tools": [tool],
            "include": ["reasoning.encrypted_content"],
            "store": False,
        }

    def ask(self) -> Heard:
        create: Any = self.client.responses.create
        return self.understood(create(**self.arguments()))

    def understood(self, answer: Any) -> Heard:
        heard = Heard(text=answer.output_text, finish=answer.status)
        if answer.incomplete_details:
            heard.finish = answer.incomplete_details.reason
        for item in answer.output:
            if item.type == "reasoning":
                heard.reasoning += "".join(part.text for part in item.summary)
                heard.signature = item.encrypted_content
            elif item.type == "function_call":
                heard.calls.append((item.call_id, item.name, parsed(item.arguments)))
        heard.input = answer.usage.input_tokens
        heard.output = answer.usage.output_tokens
        heard.cache_read = answer.usage.input_tokens_details.cached_tokens
        heard.thought = answer.usage.output_tokens_details.reasoning_tokens
        return heard


class ResponsesStream(Responses):
    """The streamed answer."""

    streams = True

    def ask(self) -> Heard:
        pieces: list[str] = []
        final: Any = None
        expected = 0
        start: Any = self.client.responses.stream
        with start(**self.arguments()) as stream:
            for event in stream:
                assert event.sequence_number == expected
                expected += 1
                if event.type == "response.output_text.delta":
                    pieces.append(event.delta)
                if event.type in ("response.completed", "response.incomplete"):
                    final = event.response
        if final is None:
            return Heard(text="".join(pieces), text_pieces=len(pieces))
        heard = self.understood(final)
        assert "".join(pieces) == heard.text
        heard.text_pieces = len(pieces)
        return heard
