"""What a conversation is made of. These types travel between all rooms and into the store."""

from typing import Literal

import msgspec

Role = Literal["user", "assistant", "tool"]
Finish = Literal["stop", "tool_calls", "length", "content_filter", "interrupted"]
CallStatus = Literal["ok", "error", "denied", "interrupted"]


class Image(msgspec.Struct, frozen=True):
    """A picture given to the model: `data` holds the bytes, or `url` points to them."""

    media_type: str
    data: bytes = b""
    url: str | None = None


class Reasoning(msgspec.Struct, frozen=True):
    """The model's thinking.

    `state` is opaque JSON that the same wire (`wire`) wants back with the next request
    (a signature, encrypted content); other wires ignore it.
    """

    text: str
    state: str | None = None
    wire: str | None = None


class ToolCall(msgspec.Struct, frozen=True):
    """A tool call as the model wrote it: `arguments` is JSON text, unchecked.

    `state` is opaque to everyone but the wire that made it.
    """

    id: str
    name: str
    arguments: str
    state: str | None = None


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one model call, from the vendor's own count.

    `input` is the whole prompt, cached parts included; `cache_read` and `cache_write` are
    shares of it. `output` includes `reasoning`. `cost_usd` only where the vendor says it.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    cost_usd: float | None = None

    def __add__(self, other: "Usage") -> "Usage":
        costs = [c for c in (self.cost_usd, other.cost_usd) if c is not None]
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            cache_read=self.cache_read + other.cache_read,
            cache_write=self.cache_write + other.cache_write,
            reasoning=self.reasoning + other.reasoning,
            cost_usd=sum(costs) if costs else None,
        )


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a conversation.

    A `tool` message answers the call `tool_call_id` of the assistant message before it.
    `timestamp` is Unix time in seconds; `id` is the store's row, None before it is stored. `turn`
    names the inbound message that a user message stands for: a store holds it once. A `summary`
    stands for earlier messages; nobody said it.
    """

    role: Role
    content: str = ""
    images: tuple[Image, ...] = ()
    reasoning: tuple[Reasoning, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    tool_name: str | None = None
    finish: Finish | None = None
    usage: Usage | None = None
    model: str | None = None
    timestamp: float = 0.0
    id: int | None = None
    turn: str | None = None
    summary: bool = False


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool call gave.

    `content` and `images` go to the model; `summary` (one line) and `diff` (unified) only to the
    person. `duration` is in seconds.
    """

    call_id: str
    name: str
    content: str
    status: CallStatus = "ok"
    duration: float = 0.0
    summary: str = ""
    diff: str | None = None
    images: tuple[Image, ...] = ()
