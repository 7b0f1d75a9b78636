"""A turn's events as the items of a response, and as the events of its stream."""

import secrets
from collections.abc import Callable
from typing import Any

from hermes_agent.api import tool_progress
from hermes_agent.api.responses_wire import OutMessage, OutText, Response
from hermes_agent.api.sse import event
from hermes_agent.domain.events import Event, MessageDone
from hermes_agent.domain.model import Retrying, TextDelta

Put = Callable[[bytes], None]
_BLANK: list[OutText] = []


class Composer:
    """Gathers what the agent says; `put` gets each step as a server-sent event, where wanted.

    `last_message` is the store's id of the last message of the turn.
    """

    def __init__(self, put: Put | None = None) -> None:
        self.items: list[OutMessage] = []
        self.last_message: int | None = None
        self._put = put
        self._number = 0
        self._index = 0
        self._open: str | None = None
        self._said: list[str] = []

    def tell(self, told: Event) -> None:
        """One event of the turn."""
        if isinstance(told, TextDelta):
            self._say(told.text)
        elif isinstance(told, MessageDone):
            self.last_message = told.message.id
            if told.message.role == "assistant":
                self._finish(told.message.content)
        elif isinstance(told, Retrying):
            self._void()
        if self._put is not None and (ours := tool_progress.told(told)) is not None:
            self.send(ours[0], ours[1])

    def send(self, kind: str, data: dict[str, Any]) -> None:
        """One event of the stream."""
        if self._put is not None:
            told = {"type": kind, "sequence_number": self._number, **data}
            self._put(event(told, name=kind))
            self._number += 1

    def lifecycle(self, kind: str, response: Response) -> None:
        """An event that carries the whole response."""
        self.send(kind, {"response": response})

    def close(self) -> None:
        """The turn is over; what was begun and not finished stays unfinished."""
        if self._open is not None:
            self._end("".join(self._said), "incomplete")

    def _say(self, text: str) -> None:
        if self._open is None:
            self._begin()
        self._said.append(text)
        if self._put is not None:
            self.send("response.output_text.delta", {**self._part(), "delta": text, "logprobs": []})

    def _begin(self) -> None:
        self._open = f"msg_{secrets.token_hex(12)}"
        self._said = []
        if self._put is not None:
            item = OutMessage(id=self._open, status="in_progress", content=_BLANK)
            self.send("response.output_item.added", {"output_index": self._index, "item": item})
            self.send("response.content_part.added", {**self._part(), "part": OutText(text="")})

    def _finish(self, text: str) -> None:
        if not text and self._open is None:
            return
        if self._open is None:
            self._say(text)
        self._end(text, "completed")

    def _void(self) -> None:
        """What was streamed of this message does not count; it stays out of the response."""
        if self._open is not None:
            self._end("".join(self._said), "incomplete")
            self.items.pop()

    def _end(self, text: str, status: str) -> None:
        item = OutMessage(
            id=self._open or "",
            status="completed" if status == "completed" else "incomplete",
            content=[OutText(text=text)],
        )
        if self._put is not None:
            part = self._part()
            self.send("response.output_text.done", {**part, "text": text, "logprobs": []})
            self.send("response.content_part.done", {**part, "part": item.content[0]})
            self.send("response.output_item.done", {"output_index": self._index, "item": item})
        self.items.append(item)
        self._index += 1
        self._open = None

    def _part(self) -> dict[str, Any]:
        return {"item_id": self._open, "output_index": self._index, "content_index": 0}
