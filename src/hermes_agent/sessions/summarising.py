"""Asking a model for a summary, piece by piece, and taking nothing but one that can be used."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import cast

from hermes_agent.context.compaction.notes import Unusable, checked, instructions
from hermes_agent.context.compaction.transcript import again, pieces, request
from hermes_agent.domain.errors import BadResponse, ContextOverflow, ModelError
from hermes_agent.domain.messages import Message, Usage
from hermes_agent.domain.model import Delta, Finished, Request
from hermes_agent.domain.ports import Model

CHARS_PER_TOKEN = 3
SHARE_OF_WINDOW = 0.4
SMALLEST_PIECE = 2_000
TRIES = 2
WORDS_PER_TOKEN = 0.45
"""Less than go in: models write more than they are asked for."""
LONGEST = 5.0
"""A whole answer may take this many times the longest silence."""


class Failure(Exception):
    """No summary could be had; `usage` is what the attempt cost all the same."""

    def __init__(self, reason: str, usage: Usage, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.usage = usage
        self.hint = hint


async def summarise(
    model: Model,
    messages: Sequence[Message],
    *,
    earlier: str,
    focus: str,
    most: int,
    redact: Callable[[str], str],
    timeout: float,
) -> tuple[str, Usage]:
    """The `earlier` summary brought up to date by these messages, in at most `most` tokens by our
    estimate, and what it cost. Secrets are blanked on the way there and back.

    Raises `Failure`.
    """
    size = max(int(model.context_length * SHARE_OF_WINDOW) * CHARS_PER_TOKEN, SMALLEST_PIECE)
    spent = Usage()
    while True:
        writer = Writer(model, focus=redact(focus), most=most, timeout=timeout)
        try:
            notes = redact(earlier)
            for piece in pieces(messages, size):
                notes = redact(await writer.write(notes, redact(piece)))
        except ContextOverflow as error:
            spent += writer.usage
            if size <= SMALLEST_PIECE * 2:
                raise Failure(error.message, spent, error.hint) from error
            size //= 2
        except ModelError as error:
            raise Failure(error.message, spent + writer.usage, error.hint) from error
        except Unusable as error:
            reason = f"the summary by {model.name} was of no use: {error}"
            raise Failure(reason, spent + writer.usage) from error
        except TimeoutError as error:
            reason = f"{model.name} took too long to summarise"
            raise Failure(reason, spent + writer.usage) from error
        else:
            return notes, spent + writer.usage


class Writer:
    """One model that is asked for summaries; `usage` sums what they cost."""

    def __init__(self, model: Model, *, focus: str, most: int, timeout: float) -> None:
        self.usage = Usage()
        self._model = model
        self._focus = focus
        self._most = most
        self._timeout = timeout

    async def write(self, earlier: str, transcript: str) -> str:
        """One step. Raises `Unusable`, `ModelError` and `TimeoutError`."""
        words = int(self._most * WORDS_PER_TOKEN)
        asked = request(earlier, transcript, focus=self._focus, words=words)
        messages = (Message(role="user", content=asked),)
        for attempt in range(TRIES):
            answer = await self._ask(messages)
            try:
                return checked(answer, most=self._most, earlier=earlier)
            except Unusable as error:
                if attempt + 1 == TRIES or not answer.content.strip():
                    raise
                said = Message(role="assistant", content=answer.content, finish="stop")
                complaint = Message(role="user", content=again(str(error), words))
                messages = (*messages, said, complaint)
        raise AssertionError

    async def _ask(self, messages: tuple[Message, ...]) -> Message:
        sent = Request(system=instructions(), messages=messages)
        # Closed here and now: a generator left to the collector keeps its connection open.
        stream = cast("AsyncGenerator[Delta, None]", self._model.stream(sent))
        loop = asyncio.get_running_loop()
        last = loop.time() + self._timeout * LONGEST
        async with aclosing(stream), asyncio.timeout(self._timeout) as limit:
            async for delta in stream:
                limit.reschedule(min(loop.time() + self._timeout, last))
                if isinstance(delta, Finished):
                    if delta.message.usage is not None:
                        self.usage += delta.message.usage
                    return delta.message
        raise BadResponse(f"{self._model.name} ended its summary without finishing it.")
