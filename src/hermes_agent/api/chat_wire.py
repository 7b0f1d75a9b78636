"""The bodies of chat completions.

Format: https://platform.openai.com/docs/api-reference/chat
"""

from typing import Annotated, Any, Literal

import msgspec

from hermes_agent.api.content import ChatMessage
from hermes_agent.domain.messages import Usage
from hermes_agent.domain.model import Effort

OURS = "hermes-agent"
Finish = Literal["stop", "length", "content_filter"]
Messages = Annotated[list[ChatMessage], msgspec.Meta(min_length=1)]
Temperature = Annotated[float, msgspec.Meta(ge=0, le=2)]


REASONS = {
    "messages.content": "Only text and pictures as data URLs are understood.",
    "messages.role": "The agent calls its own tools, so there are no results of the client's.",
    "tool_choice": "The agent calls its own tools; it cannot be made to call the client's.",
    "function_call": "The agent calls its own tools; it cannot be made to call the client's.",
    "response_format": "The agent answers with text.",
    "modalities": "The agent answers with text.",
    "n": "There is one answer to a question.",
    "logprobs": "The agent's models do not all tell them.",
}


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`include_usage` adds a last chunk without choices that has the usage."""

    include_usage: bool = False


class ResponseFormat(msgspec.Struct, frozen=True, kw_only=True):
    """Only text."""

    type: Literal["text"] = "text"


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is understood of a request. Fields beyond these are ignored, among them `tools` (the
    agent has its own), `max_tokens`, `stop`, `seed` and `user`."""

    messages: Messages
    model: str | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    reasoning_effort: Effort | None = None
    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    response_format: ResponseFormat | None = None
    tool_choice: Literal["none", "auto"] | None = None
    function_call: Literal["none", "auto"] | None = None
    modalities: list[Literal["text"]] | None = None


class PromptDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the prompt."""

    cached_tokens: int = 0


class CompletionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the answer."""

    reasoning_tokens: int = 0


class ChatUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of all model calls of the turn."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails

    @classmethod
    def of(cls, usage: Usage) -> "ChatUsage":
        """From our own count."""
        return cls(
            prompt_tokens=usage.input,
            completion_tokens=usage.output,
            total_tokens=usage.input + usage.output,
            prompt_tokens_details=PromptDetails(cached_tokens=usage.cache_read),
            completion_tokens_details=CompletionDetails(reasoning_tokens=usage.reasoning),
        )


class AnswerMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The agent's answer."""

    content: str
    role: Literal["assistant"] = "assistant"
    refusal: str | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The one answer."""

    message: AnswerMessage
    finish_reason: Finish
    index: int = 0
    logprobs: None = None


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer."""

    id: str
    created: int
    model: str
    choices: list[Choice]
    usage: ChatUsage
    object: Literal["chat.completion"] = "chat.completion"


class ChunkChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the one answer."""

    delta: dict[str, str]
    finish_reason: Finish | None = None
    index: int = 0


class Chunk(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A piece of a streamed answer. `hermes` is ours, for clients that know it."""

    id: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: ChatUsage | msgspec.UnsetType = msgspec.UNSET
    hermes: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
