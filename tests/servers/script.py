"""What the scripted server says: replies, tool calls and faults, as frozen values."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

SIGNATURE = "c2NyaXB0ZWQtc2lnbmF0dXJl"


@dataclass(frozen=True)
class Usage:
    """Tokens of one answer. `input` is the whole prompt, cached parts included; `output`
    includes `reasoning`. `cost` (US dollars) is sent on chat-completions only, when given."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    cost: float | None = None


@dataclass(frozen=True)
class Call:
    """A tool call. `arguments` as text is sent as it stands, so it may be bad JSON.

    `id` None means a fresh one in the dialect's own style. `signature` is Gemini's thought
    signature on the call.
    """

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict[str, Any])
    id: str | None = None
    signature: str | None = None

    @cached_property
    def text(self) -> str:
        """The arguments as the model wrote them."""
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(dict(self.arguments), ensure_ascii=False)

    @cached_property
    def value(self) -> Any:
        """The arguments as JSON; text that is no JSON stays text."""
        if not isinstance(self.arguments, str):
            return dict(self.arguments)
        try:
            return json.loads(self.arguments)
        except ValueError:
            return self.arguments


@dataclass(frozen=True)
class Reply:
    """One whole answer of the model, in no dialect.

    `finish` is `stop`, `tool_calls`, `length` or `content_filter` (None: derived), or a word of
    the dialect's own, sent as it stands. `chunks` cuts the text: a list of pieces, or their
    length in characters; reasoning and arguments are cut by the same length (arguments every 8
    characters unless told otherwise). Times are in seconds: `delay` before the first byte of
    the answer, `pause` between deltas. `hold` is waited on after `hold_after` deltas of a stream
    (before the body when not streaming); `reached` is set when the server gets there.

    `signature` goes with the reasoning (Anthropic's signature, Responses' encrypted content);
    `reasoning_field` is how chat-completions carries reasoning; `redacted` adds an Anthropic
    redacted_thinking block. `usage` None is estimated, and `extra` fields are laid over the
    non-streamed body and over every event.
    """

    text: str = ""
    reasoning: str = ""
    calls: list[Call] | tuple[Call, ...] = ()
    finish: str | None = None
    usage: Usage | None = None
    chunks: list[str] | tuple[str, ...] | int = 24
    delay: float = 0.0
    pause: float = 0.0
    hold: threading.Event | None = None
    hold_after: int = 1
    reached: threading.Event | None = None
    signature: str = SIGNATURE
    redacted: str = ""
    reasoning_field: Literal["reasoning_content", "reasoning", "reasoning_details"] = (
        "reasoning_content"
    )
    argument_chunks: int = 8
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def reason(self) -> str:
        """The finish reason, derived from the calls when it was not given."""
        return self.finish or ("tool_calls" if self.calls else "stop")

    @cached_property
    def text_pieces(self) -> list[str]:
        """The text as it is streamed."""
        return (
            list(self.chunks) if not isinstance(self.chunks, int) else cut(self.text, self.chunks)
        )

    @cached_property
    def whole_text(self) -> str:
        """The text in one piece."""
        return self.text if isinstance(self.chunks, int) else "".join(self.chunks)

    @cached_property
    def reasoning_pieces(self) -> list[str]:
        """The reasoning as it is streamed."""
        return cut(self.reasoning, self.chunks if isinstance(self.chunks, int) else 24)


def cut(text: str, size: int) -> list[str]:
    """Pieces of at most `size` characters; none for an empty text."""
    return [text[start : start + size] for start in range(0, len(text), max(size, 1))]


Where = Literal["start", "headers", "stream", "arguments"]
Quirk = Literal[
    "bad-json",
    "bom",
    "comments",
    "crlf",
    "cut-event",
    "dribble",
    "extra-fields",
    "keep-open",
    "long-line",
    "no-end",
    "no-finish",
    "no-space",
    "no-usage",
    "split-data",
    "split-utf8",
    "unknown-events",
]
SPOKEN = Reply(text="The beginning of an answer that is going to break off before its end.")
CALLING = Reply(calls=[Call("terminal", {"command": "echo this call is never finished"})])


@dataclass(frozen=True)
class Fault:
    """A misbehaviour, said like a reply; make one with the class methods.

    `where` is the place in the answer: `start` (before the first byte), `headers` (after them),
    `stream` (after `after` deltas of `reply`) or `arguments` (after `after` deltas of a tool
    call's arguments). A non-streamed answer breaks in the middle of its body instead.
    """

    kind: Literal["refuse", "hang", "reset", "close", "raw", "error", "stream"]
    status: int | None = None
    error: str = ""
    message: str | None = None
    code: int | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | bytes | None = None
    reply: Reply = SPOKEN
    where: Where = "start"
    after: int = 1
    quirks: tuple[Quirk, ...] = ()
    delay: float = 0.0
    retry_after: float | None = None
    date: bool = False

    @classmethod
    def refuse(
        cls,
        error: str,
        message: str | None = None,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        retry_after: float | None = None,
        date: bool = False,
        delay: float = 0.0,
    ) -> "Fault":
        """The vendor's own answer for `error` (a key of `errors.ERRORS`).

        `retry_after` (seconds) goes into Retry-After, as an HTTP date when `date`, into the
        dialect's rate limit headers, and into Gemini's RetryInfo.
        """
        return cls(
            "refuse",
            status=status,
            error=error,
            message=message,
            headers=headers or {},
            body=body,
            retry_after=retry_after,
            date=date,
            delay=delay,
        )

    @classmethod
    def http(cls, status: int, message: str | None = None, **more: Any) -> "Fault":
        """This HTTP status, with the vendor's error body that belongs to it."""
        return cls.refuse("", message, status=status, **more)

    @classmethod
    def rate_limited(
        cls, retry_after: float | None = None, *, date: bool = False, **more: Any
    ) -> "Fault":
        """429."""
        return cls.refuse("rate_limited", retry_after=retry_after, date=date, **more)

    @classmethod
    def context_overflow(cls, message: str | None = None, **more: Any) -> "Fault":
        """The prompt is too long."""
        return cls.refuse("context_overflow", message, **more)

    @classmethod
    def raw(
        cls, body: str | bytes, *, status: int = 200, content_type: str = "application/json"
    ) -> "Fault":
        """These bytes as the body."""
        return cls("raw", status=status, body=body, headers={"content-type": content_type})

    @classmethod
    def empty(cls) -> "Fault":
        """200 and an empty body."""
        return cls.raw(b"")

    @classmethod
    def html(cls, status: int = 200) -> "Fault":
        """A web page where an answer should be."""
        page = f"<!DOCTYPE html><html><head><title>{status}</title></head><body>Hi</body></html>"
        return cls.raw(page, status=status, content_type="text/html; charset=utf-8")

    @classmethod
    def hang(cls) -> "Fault":
        """The connection is accepted, the request read, nothing ever said."""
        return cls("hang")

    @classmethod
    def stall(
        cls, where: Where = "stream", *, after: int = 1, reply: Reply | None = None
    ) -> "Fault":
        """Silence in the middle, the connection left open."""
        return cls("hang", where=where, after=after, reply=reply or _breaking(where))

    @classmethod
    def reset(
        cls, where: Where = "stream", *, after: int = 1, reply: Reply | None = None
    ) -> "Fault":
        """RST."""
        return cls("reset", where=where, after=after, reply=reply or _breaking(where))

    @classmethod
    def close(
        cls, where: Where = "stream", *, after: int = 1, reply: Reply | None = None
    ) -> "Fault":
        """FIN before the answer is complete."""
        return cls("close", where=where, after=after, reply=reply or _breaking(where))

    @classmethod
    def error_in_stream(
        cls,
        code: int | str | None = None,
        message: str = "Overloaded",
        *,
        after: int = 1,
        reply: Reply = SPOKEN,
    ) -> "Fault":
        """200, then the vendor's error event after `after` deltas (0: at once).

        Not streaming: the error object as a body with status 200.
        """
        return cls("error", code=code, message=message, after=after, where="stream", reply=reply)

    @classmethod
    def stream(cls, *quirks: Quirk, reply: Reply = SPOKEN, after: int = 1) -> "Fault":
        """A whole reply, written oddly or wrongly. See `misbehaviour.py` for the quirks."""
        return cls("stream", quirks=quirks, reply=reply, after=after)


def _breaking(where: Where) -> Reply:
    return CALLING if where == "arguments" else SPOKEN
