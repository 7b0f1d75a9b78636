"""What is asked of a model, and what streams back."""

from typing import Literal

import msgspec

from hermes_agent.domain.messages import Message
from hermes_agent.domain.spending import Meter

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]


class ToolSpec(msgspec.Struct, frozen=True):
    """A tool as the model sees it; `parameters` is the JSON Schema of its arguments."""

    name: str
    description: str
    parameters: msgspec.Raw


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One model call. `system` and `tools` stay byte-identical over a session.

    `max_tokens` None leaves the limit to the vendor (or the vendor table's own default). `meter` is
    told when it really goes out.
    """

    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_tokens: int | None = None
    temperature: float | None = None
    effort: Effort | None = None
    session_id: str | None = None
    meter: Meter | None = None


class TextDelta(msgspec.Struct, frozen=True, tag="text_delta"):
    """Some more of the answer."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, tag="reasoning_delta"):
    """Some more of the model's thinking."""

    text: str


class CallDelta(msgspec.Struct, frozen=True, tag="call_delta"):
    """A tool call is being written; `index` counts the calls of this answer from 0.

    `name` comes with the first delta of a call, `arguments` piece by piece.
    """

    index: int
    name: str = ""
    arguments: str = ""


class Retrying(msgspec.Struct, frozen=True, tag="retrying"):
    """The call failed and is made again after `delay` seconds.

    What was streamed of this answer so far is void. `model` is who is asked next.
    """

    reason: str
    delay: float
    attempt: int
    model: str


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The whole answer, usage and finish reason included; always the last of a stream."""

    message: Message


Delta = TextDelta | ReasoningDelta | CallDelta | Retrying | Finished
