"""The bodies of the Responses API.

Format: https://platform.openai.com/docs/api-reference/responses
"""

from typing import Annotated, Any, Literal

import msgspec

from hermes_agent.api.chat_wire import Temperature
from hermes_agent.api.content import InputMessage
from hermes_agent.domain.messages import Usage
from hermes_agent.domain.model import Effort

Status = Literal["completed", "incomplete", "failed", "in_progress"]
Input = str | Annotated[list[InputMessage], msgspec.Meta(min_length=1)]
Metadata = Annotated[dict[str, str], msgspec.Meta(max_length=16)]


REASONS = {
    "input.content": "Only text and pictures as data URLs are understood.",
    "input": "Text, or a list of messages; the agent calls its own tools.",
    "tool_choice": "The agent calls its own tools; it cannot be made to call the client's.",
    "text.format": "The agent answers with text.",
    "background": "POST /v1/runs starts a turn that needs no connection.",
}


class ReasoningWish(msgspec.Struct, frozen=True, kw_only=True):
    """How hard to think."""

    effort: Effort | None = None


class ConversationName(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation by the client's own name for it."""

    id: str


class TextFormat(msgspec.Struct, frozen=True, kw_only=True):
    """Only text."""

    type: Literal["text"] = "text"


class TextWish(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of the answer."""

    format: TextFormat | None = None


class ResponseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is understood of a request. Fields beyond these are ignored, among them `tools` (the
    agent has its own) and `max_output_tokens`."""

    input: Input
    model: str | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: str | ConversationName | None = None
    store: bool | None = True
    stream: bool | None = False
    temperature: Temperature | None = None
    reasoning: ReasoningWish | None = None
    text: TextWish | None = None
    metadata: Metadata | None = None
    background: Literal[False] | None = None
    tool_choice: Literal["none", "auto"] | None = None


class OutText(msgspec.Struct, frozen=True, kw_only=True):
    """Words of the agent."""

    text: str
    annotations: list[str] = msgspec.field(default_factory=list[str])
    logprobs: list[str] = msgspec.field(default_factory=list[str])
    type: Literal["output_text"] = "output_text"


class OutMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the agent; a turn with tools may have several."""

    id: str
    status: Literal["completed", "incomplete", "in_progress"]
    content: list[OutText]
    role: Literal["assistant"] = "assistant"
    type: Literal["message"] = "message"


class InDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the input."""

    cached_tokens: int = 0


class OutDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the output."""

    reasoning_tokens: int = 0


class ResponseUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of all model calls of the turn."""

    input_tokens: int
    input_tokens_details: InDetails
    output_tokens: int
    output_tokens_details: OutDetails
    total_tokens: int

    @classmethod
    def of(cls, usage: Usage) -> "ResponseUsage":
        """From our own count."""
        return cls(
            input_tokens=usage.input,
            input_tokens_details=InDetails(cached_tokens=usage.cache_read),
            output_tokens=usage.output,
            output_tokens_details=OutDetails(reasoning_tokens=usage.reasoning),
            total_tokens=usage.input + usage.output,
        )


class ResponseFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why a response failed."""

    code: str
    message: str


class Incomplete(msgspec.Struct, frozen=True, kw_only=True):
    """Why a response is not whole."""

    reason: Literal["max_output_tokens", "content_filter"]


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A response. `tools` is empty, since the agent's own tools are no business of the client."""

    id: str
    created_at: int
    model: str
    status: Status
    output: list[OutMessage] = msgspec.field(default_factory=list[OutMessage])
    usage: ResponseUsage | None = None
    error: ResponseFault | None = None
    incomplete_details: Incomplete | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: ConversationName | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    store: bool = True
    temperature: float | None = None
    top_p: float | None = None
    parallel_tool_calls: bool = True
    tool_choice: Literal["auto"] = "auto"
    tools: list[Any] = msgspec.field(default_factory=list[Any])
    background: bool = False
    object: Literal["response"] = "response"


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """It is gone."""

    id: str
    object: str
    deleted: Literal[True] = True
