"""One answer of the model: streamed to the person, whole in the end, or what there was of it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from hermes_agent.domain.errors import BadResponse
from hermes_agent.domain.messages import Message
from hermes_agent.domain.model import Delta, Finished, Request, Retrying, TextDelta
from hermes_agent.domain.ports import Emit, Model


class Answer:
    """Collects a stream, so that an interrupt leaves the text that the person has seen."""

    def __init__(self) -> None:
        self._seen: list[str] = []

    async def stream(self, model: Model, request: Request, emit: Emit) -> Message:
        """The finished message. Raises `ModelError`."""
        # Closed here and now: a generator left to the collector keeps its connection open.
        stream = cast("AsyncGenerator[Delta, None]", model.stream(request))
        async with aclosing(stream):
            async for delta in stream:
                if isinstance(delta, Finished):
                    return delta.message
                if isinstance(delta, TextDelta):
                    self._seen.append(delta.text)
                elif isinstance(delta, Retrying):
                    self._seen.clear()
                emit(delta)
        raise BadResponse(f"{model.name} ended its answer without finishing it.")

    def torn(self, model: str, now: float) -> Message | None:
        """What was streamed before the interrupt, as a message; None if nothing was."""
        text = "".join(self._seen)
        if not text.strip():
            return None
        return Message(
            role="assistant", content=text, finish="interrupted", model=model, timestamp=now
        )
