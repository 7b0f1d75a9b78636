"""Pictures for models that may not be able to see any.

No list of models says reliably which of them see, and a model that does not refuses the whole
request. So it is asked with the pictures first; when it refuses, once more with words in their
place. If that is answered, it gets words from then on. llama.cpp calls it an error of its own
(500), which may be one that passes: then only this request goes without.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

import msgspec

from hermes_agent.domain.errors import ModelError, RequestRefused
from hermes_agent.domain.messages import Message
from hermes_agent.domain.model import Delta, Request

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from hermes_agent.providers.resilience import Link

UNSEEN = "[{count} picture(s) that this model cannot see]"


class Sighted:
    """`model`, asked without pictures once it has shown that it cannot see."""

    def __init__(self, model: "Link") -> None:
        self._model = model
        self._blind = False

    @property
    def name(self) -> str:
        """What the vendor calls it."""
        return self._model.name

    @property
    def context_length(self) -> int:
        """The window in tokens."""
        return self._model.context_length

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        """The answer as it comes. Raises `ModelError`."""
        pictures = any(message.images for message in request.messages)
        refusal: ModelError | None = None
        begun = False
        if not (pictures and self._blind):
            try:
                async with aclosing(self._asked(request)) as deltas:
                    async for delta in deltas:
                        begun = True
                        yield delta
                return
            except ModelError as error:
                # Whoever begins to answer has seen them, and would say it all twice.
                if begun or not (pictures and _may_be_for_pictures(error)):
                    raise
                refusal = error
        try:
            async with aclosing(self._asked(_worded(request))) as deltas:
                async for delta in deltas:
                    self._blind = self._blind or isinstance(refusal, RequestRefused)
                    yield delta
        except ModelError as error:
            if refusal is None or not _may_be_for_pictures(error):
                raise
            # The pictures were not what it minded.
            raise refusal from error

    def _asked(self, request: Request) -> "AsyncGenerator[Delta, None]":
        return cast("AsyncGenerator[Delta, None]", self._model.stream(request))


def _may_be_for_pictures(error: ModelError) -> bool:
    return isinstance(error, RequestRefused) or error.status == 500


def _worded(request: Request) -> Request:
    return msgspec.structs.replace(
        request, messages=tuple(_without(message) for message in request.messages)
    )


def _without(message: Message) -> Message:
    if not message.images:
        return message
    said = UNSEEN.format(count=len(message.images))
    content = f"{message.content}\n{said}" if message.content else said
    return msgspec.structs.replace(message, content=content, images=())
