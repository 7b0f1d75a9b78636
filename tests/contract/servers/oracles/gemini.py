"""The google-genai client."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import httpx2
from google import genai
from google.genai import errors as genai_errors
from google.genai import types as genai_types

from tests.contract.servers.oracles.heard import PIXEL, SCHEMA, Heard
from tests.servers.model import ModelServer


class Gemini:
    """The whole answer."""

    dialect = "gemini"
    streams = False
    finishes: ClassVar[Mapping[str, str]] = {
        "stop": "STOP",
        "tool_calls": "STOP",
        "length": "MAX_TOKENS",
        "content_filter": "SAFETY",
    }
    refused: type[Exception] = genai_errors.APIError
    base: type[Exception] = Exception

    def __init__(self, server: ModelServer) -> None:
        # google-genai leaves refused streams open; the warnings would hit a later test.
        self.answers: list[httpx2.Response] = []
        self.http = httpx2.Client(event_hooks={"response": [self.answers.append]})
        options = genai_types.HttpOptions(
            base_url=server.root_url, timeout=10_000, httpx_client=self.http
        )
        self.client = genai.Client(api_key="key", http_options=options)

    def close(self) -> None:
        self.client.close()
        for answer in self.answers:
            answer.close()
        self.http.close()

    def status_of(self, error: Exception) -> int:
        return cast("genai_errors.APIError", error).code

    def arguments(self) -> dict[str, Any]:
        image = {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
        function = {"name": "terminal", "description": "Run.", "parametersJsonSchema": SCHEMA}
        return {
            "model": "scripted-model",
            "contents": [{"role": "user", "parts": [{"text": "hi"}, image]}],
            "config": {
                "tools": [{"functionDeclarations": [function]}],
                "automaticFunctionCalling": {"disable": True},
            },
        }

    def ask(self) -> Heard:
        models: Any = self.client.models
        return self.understood([models.generate_content(**self.arguments())])

    def understood(self, answers: list[Any]) -> Heard:
        heard = Heard()
        for answer in answers:
            candidate = answer.candidates[0]
            for part in candidate.content.parts or ():
                if part.thought:
                    heard.reasoning += part.text
                elif part.function_call:
                    call = part.function_call
                    heard.calls.append((call.id, call.name, call.args))
                    heard.signature = heard.signature or (part.thought_signature or b"").decode()
                elif part.text:
                    heard.text += part.text
                    heard.text_pieces += 1
            if candidate.finish_reason:
                heard.finish = candidate.finish_reason.value
            usage = answer.usage_metadata
            heard.input = usage.prompt_token_count
            heard.thought = usage.thoughts_token_count or 0
            heard.output = (usage.candidates_token_count or 0) + heard.thought
            heard.cache_read = usage.cached_content_token_count or 0
        return heard


class GeminiStream(Gemini):
    """The streamed answer."""

    streams = True

    def ask(self) -> Heard:
        models: Any = self.client.models
        return self.understood(list(models.generate_content_stream(**self.arguments())))
