"""A model that may not see is asked once more without pictures, unless it has begun to answer."""

from collections.abc import AsyncIterator

import pytest

from hermes_agent.domain.errors import ModelError, RequestRefused, StreamBroken
from hermes_agent.domain.messages import Image, Message
from hermes_agent.domain.model import Delta, Finished, Request, TextDelta
from hermes_agent.providers.sight import Sighted

pytestmark = pytest.mark.anyio
DONE = Finished(Message(role="assistant", content="A cat."))
REQUEST = Request(
    system="",
    messages=(Message(role="user", images=(Image(media_type="image/png", data=b"x"),)),),
)


class Vendor:
    """Says the words, then fails, whenever it is shown a picture."""

    name = "vendor"
    context_length = 1000

    def __init__(self, error: ModelError, words: tuple[str, ...] = ()) -> None:
        self.error = error
        self.words = words
        self.calls = 0

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        self.calls += 1
        if any(message.images for message in request.messages):
            for word in self.words:
                yield TextDelta(word)
            raise self.error
        yield TextDelta("A cat.")
        yield DONE


async def test_who_refuses_pictures_is_asked_without_them() -> None:
    vendor = Vendor(RequestRefused("no images"))
    said = [each async for each in Sighted(vendor).stream(REQUEST)]
    assert said == [TextDelta("A cat."), DONE]
    assert vendor.calls == 2


async def test_an_answer_that_breaks_off_is_not_said_twice() -> None:
    vendor = Vendor(StreamBroken("internal error", status=500), ("A ", "cat"))
    said: list[Delta] = []
    with pytest.raises(StreamBroken):
        async for each in Sighted(vendor).stream(REQUEST):
            said.append(each)  # noqa: PERF401  what came before it failed
    assert said == [TextDelta("A "), TextDelta("cat")]
    assert vendor.calls == 1
