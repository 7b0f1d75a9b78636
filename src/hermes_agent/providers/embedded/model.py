"""The `Model` behind the basic offline model: its dialect, over the shared server."""

import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from hermes_agent.domain.errors import (
    BadResponse,
    ContextOverflow,
    ModelError,
    StreamBroken,
    Unreachable,
)
from hermes_agent.domain.messages import Finish, Message, ToolCall, Usage
from hermes_agent.domain.model import CallDelta, Delta, Finished, Request, Retrying, TextDelta
from hermes_agent.domain.spending import FREE, Asked
from hermes_agent.providers.embedded import dialect
from hermes_agent.providers.embedded.address import Address
from hermes_agent.providers.embedded.reading import Call, Reader
from hermes_agent.providers.http import open_client, timeouts
from hermes_agent.providers.wires.sse import EventStream

if TYPE_CHECKING:
    import httpx2

LABEL = "basic offline model"
ANSWER_LIMIT = 1_500
"""Tokens of one answer; at 30 a second more is more than anybody waits for."""

_CHARACTERS_A_TOKEN = 3
_FIRST_TOKEN_LIMIT = 600.0


class Server(Protocol):
    """Gives the address of a ready server, started if need be."""

    async def __call__(self) -> Address: ...


class EmbeddedModel:
    """Talks to the server that `server` finds. One HTTP client for its life; `close` it.

    `cwd` is told to the model, as `system` of the request is not: it is too long for it.
    """

    def __init__(
        self, server: Server, *, model: str, context_length: int, cwd: Path | str = ""
    ) -> None:
        self._server = server
        self._model = model
        self._context = context_length
        self._cwd = str(cwd)
        self._client: httpx2.AsyncClient | None = None

    label = LABEL

    @property
    def name(self) -> str:
        """`qwen2.5-coder-1.5b (basic offline model)`, or a GGUF's name likewise."""
        return f"{self._model} ({LABEL})"

    @property
    def context_length(self) -> int:
        """The window in tokens."""
        return self._context

    @property
    def tool_names(self) -> tuple[str, ...]:
        """The tools that this model can handle; it is told of no others."""
        return tuple(tool.name for tool in dialect.signatures())

    def system_prompt(self, tools: frozenset[str] | None = None) -> str:
        """The system prompt that replaces the request's; for `/context` and the like."""
        return dialect.opening(frozenset(self.tool_names) if tools is None else tools)[0].content

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """The answer as it comes. A server that died is started anew, once."""
        try:
            async for delta in self._answer(request):
                yield delta
            return
        except (BadResponse, StreamBroken, Unreachable) as failure:
            reason = failure.message
        yield Retrying(reason=reason, delay=0.0, attempt=1, model=self.name)
        async for delta in self._answer(request):
            yield delta

    async def close(self) -> None:
        """Give the connections back. The server stays warm."""
        if self._client is not None:
            await self._client.aclose()

    async def _answer(self, request: Request) -> AsyncIterator[Delta]:
        if request.meter is not None:
            asked = Asked(provider="local", model=self.name, rates=lambda _: FREE)
            request.meter.asked(asked)
        tools = frozenset(tool.name for tool in request.tools) & frozenset(self.tool_names)
        reader = Reader(tools)
        text: list[str] = []
        end = _End()
        async with aclosing(self._pieces(self._body(request, tools), end)) as pieces:
            async for piece in pieces:
                if shown := reader.feed(piece):
                    text.append(shown)
                    yield TextDelta(shown)
                if reader.call is not None:
                    break
        if reader.call is None and (rest := reader.close(cut=end.finish == "length")):
            text.append(rest)
            yield TextDelta(rest)
        if reader.call is not None:
            yield CallDelta(0, reader.call.name, reader.call.arguments)
        yield Finished(_message("".join(text), reader.call, end, model=self.name))

    def _body(self, request: Request, tools: frozenset[str]) -> bytes:
        opening = dialect.opening(tools)
        turns = dialect.conversation(request.messages, where=self._where(request))
        answer = min(request.max_tokens or ANSWER_LIMIT, ANSWER_LIMIT)
        room = (self._context - answer) * _CHARACTERS_A_TOKEN
        room -= sum(len(turn.content) for turn in opening)
        return msgspec.json.encode(
            {
                "messages": [*opening, *dialect.fitting(turns, limit=room)],
                "stream": True,
                "stream_options": {"include_usage": True},
                "timings_per_token": True,
                "temperature": 0.0 if request.temperature is None else request.temperature,
                "max_tokens": answer,
                "cache_prompt": True,
                # It likes to go on and make up the result of its own call.
                "stop": [dialect.RESULT.strip()],
            }
        )

    def _where(self, request: Request) -> str:
        """Directory and date, the same words over a session: the date is its first message's."""
        first = next((m.timestamp for m in request.messages if m.timestamp), 0.0)
        today = time.strftime("%A, %d %B %Y", time.localtime(first or None))
        return f"working directory: {self._cwd}; today: {today}" if self._cwd else today

    async def _pieces(self, body: bytes, end: "_End") -> AsyncGenerator[str, None]:
        import httpx2

        address = await self._server()
        if self._client is None:
            self._client = open_client()
        headers = {"Authorization": f"Bearer {address.key}", "Content-Type": "application/json"}
        events = EventStream()
        try:
            async with self._client.stream(
                "POST",
                f"{address.url}/v1/chat/completions",
                content=body,
                headers=headers,
                timeout=timeouts(read=_FIRST_TOKEN_LIMIT),
            ) as response:
                if response.status_code != 200:
                    raise _refused(response.status_code, await response.aread())
                async for chunk in response.aiter_raw():
                    for data in events.feed(chunk):
                        if data == b"[DONE]":
                            return
                        if piece := end.read(data):
                            yield piece
        except httpx2.ConnectError as error:
            raise Unreachable(f"The offline model's server is gone: {error}") from error
        except httpx2.TimeoutException as error:
            raise StreamBroken(
                f"The offline model said nothing for {_FIRST_TOKEN_LIMIT:.0f} s"
            ) from error
        except httpx2.HTTPError as error:
            raise StreamBroken(f"The offline model's answer broke off: {error}") from error
        if end.finish is None:
            raise StreamBroken("The offline model's answer broke off")


class _Timings(msgspec.Struct):
    cache_n: int = 0
    prompt_n: int = 0
    predicted_n: int = 0


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    timings: _Timings | None = None
    error: dict[str, Any] | None = None


class _End:
    """What the stream says besides text: how it ended, and what it took."""

    def __init__(self) -> None:
        self.finish: Finish | None = None
        self.usage: Usage | None = None

    def read(self, data: bytes) -> str:
        try:
            chunk = msgspec.json.decode(data, type=_Chunk)
        except msgspec.DecodeError as error:
            raise BadResponse(f"The offline model's server sent no JSON: {error}") from error
        if chunk.error is not None:
            raise BadResponse(f"The offline model's server failed: {chunk.error.get('message')}")
        if seen := chunk.timings:
            self.usage = Usage(
                input=seen.cache_n + seen.prompt_n,
                output=seen.predicted_n,
                cache_read=seen.cache_n,
                cost_usd=0.0,
            )
        text = ""
        for choice in chunk.choices:
            text += choice.delta.content or ""
            if choice.finish_reason:
                self.finish = "length" if choice.finish_reason == "length" else "stop"
        return text


class _Failure(msgspec.Struct):
    message: str = ""
    type: str = ""


class _Refusal(msgspec.Struct):
    error: _Failure


def _refused(status: int, body: bytes) -> ModelError:
    try:
        failure = msgspec.json.decode(body, type=_Refusal).error
    except msgspec.DecodeError:
        failure = _Failure(body[:200].decode(errors="replace"))
    if failure.type == "exceed_context_size_error":
        return ContextOverflow(
            f"The conversation is too long for the offline model: {failure.message}",
            hint="Begin a new one with /new, or use another model (`hermes setup`).",
            status=status,
        )
    return BadResponse(f"The offline model's server failed: {failure.message}", status=status)


def _message(text: str, call: Call | None, end: _End, *, model: str) -> Message:
    calls = (ToolCall(f"call_{secrets.token_hex(12)}", call.name, call.arguments),) if call else ()
    return Message(
        role="assistant",
        content=text.strip() if calls else text,
        tool_calls=calls,
        finish="tool_calls" if calls else (end.finish or "stop"),
        usage=end.usage,
        model=model,
        timestamp=time.time(),
    )
