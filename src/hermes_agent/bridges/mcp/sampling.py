"""A server's own requests to the model, within the limits of `mcp_servers.NAME.sampling`.

Source: https://modelcontextprotocol.io/specification/2025-11-25/client/sampling. Only texts are
taken; requests with tools are refused.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from hermes_agent.config.schema.execution import McpSampling
from hermes_agent.domain.errors import HermesError
from hermes_agent.domain.messages import Message, Usage
from hermes_agent.domain.model import Delta, Finished, Request
from hermes_agent.domain.ports import Model

if TYPE_CHECKING:
    from mcp.client.session import ClientRequestContext
    from mcp_types import (
        CreateMessageRequestParams,
        CreateMessageResult,
        CreateMessageResultWithTools,
        ErrorData,
    )

MINUTE = 60.0
_MOST_CHARS = 400_000
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_log = logging.getLogger(__name__)

Choose = Callable[[Sequence[str]], Awaitable[Model]]
"""The model for a request that asks for one of these names, in this order; for none, ours."""
Spend = Callable[[str, Usage], Awaitable[None]]
"""Counts what a model of that name was used for."""


class Answerer:
    """Answers the requests of the server called `name`; `mcp.client.session.SamplingFnT`."""

    def __init__(self, name: str, settings: McpSampling, choose: Choose, spend: Spend) -> None:
        self._name = name
        self._settings = settings
        self._choose = choose
        self._spend = spend
        self._asked: deque[float] = deque()
        self._floor = _LEVELS[settings.log_level]

    async def __call__(
        self, context: "ClientRequestContext", params: "CreateMessageRequestParams"
    ) -> "CreateMessageResult | CreateMessageResultWithTools | ErrorData":
        """The model's answer, or why there is none. Never raises for what went wrong."""
        from mcp_types import INVALID_REQUEST, CreateMessageResult, ErrorData, TextContent

        try:
            request = self._request(params)
            self._count()
            model = await self._choose(_hints(params))
            self._allowed(model.name)
            self._note(logging.INFO, "%s is asked", model.name)
            async with asyncio.timeout(self._settings.timeout):
                answer = await self._answer(model, request)
        except _Refused as error:
            self._note(logging.WARNING, "refused: %s", error)
            return ErrorData(code=INVALID_REQUEST, message=str(error))
        except TimeoutError:
            self._note(logging.WARNING, "the model took longer than %g s", self._settings.timeout)
            return ErrorData(code=INVALID_REQUEST, message="The model took too long.")
        except HermesError as error:
            self._note(logging.WARNING, "no answer: %s", error.message)
            return ErrorData(code=INVALID_REQUEST, message="No model could answer.")
        return CreateMessageResult(
            role="assistant",
            content=TextContent(type="text", text=answer.content),
            model=model.name,
            stop_reason="maxTokens" if answer.finish == "length" else "endTurn",
        )

    def _note(self, level: int, text: str, *values: object) -> None:
        if level >= self._floor:
            _log.log(level, f"sampling for MCP server %s: {text}", self._name, *values)

    def _request(self, params: "CreateMessageRequestParams") -> Request:
        if params.tools or params.tool_choice:
            raise _Refused("Tools in sampling requests are not supported.")
        messages = tuple(
            Message(role=each.role, content=_text(each.content)) for each in params.messages
        )
        system = params.system_prompt or ""
        if not messages or len(system) + sum(len(m.content) for m in messages) > _MOST_CHARS:
            raise _Refused("The request is empty or too long.")
        return Request(
            system=system,
            messages=messages,
            max_tokens=max(1, min(params.max_tokens, self._settings.max_tokens_cap)),
            temperature=params.temperature,
        )

    def _count(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._asked and now - self._asked[0] >= MINUTE:
            self._asked.popleft()
        if len(self._asked) >= self._settings.max_rpm:
            raise _Refused(f"More than {self._settings.max_rpm} requests a minute.")
        self._asked.append(now)

    def _allowed(self, model: str) -> None:
        if self._settings.allowed_models and model not in self._settings.allowed_models:
            raise _Refused("No model that this server may use is configured.")

    async def _answer(self, model: Model, request: Request) -> Message:
        stream = cast("AsyncGenerator[Delta, None]", model.stream(request))
        async with aclosing(stream):
            async for delta in stream:
                if isinstance(delta, Finished):
                    if delta.message.usage is not None:
                        await self._spend(model.name, delta.message.usage)
                    return delta.message
        raise _Refused("The model gave no whole answer.")


class _Refused(Exception):
    """The request is not answered; the message is for the server."""


def _hints(params: "CreateMessageRequestParams") -> list[str]:
    wishes = params.model_preferences
    return [hint.name for hint in (wishes.hints if wishes else None) or () if hint.name]


def _text(content: object) -> str:
    blocks = cast("list[object]", content) if isinstance(content, list) else [content]
    texts = [getattr(block, "text", None) for block in blocks]
    if not all(isinstance(text, str) for text in texts):
        raise _Refused("Only texts are supported.")
    return "\n".join(cast("list[str]", texts))
