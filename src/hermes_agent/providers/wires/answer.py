"""An answer in the making, the same for every wire."""

import secrets
from collections.abc import Sequence

import msgspec

from hermes_agent.domain.errors import BadResponse, ContentRefused, StreamBroken
from hermes_agent.domain.messages import Finish, Message, Reasoning, ToolCall, Usage
from hermes_agent.domain.model import CallDelta
from hermes_agent.providers.target import Target

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class PartialCall:
    """A tool call as far as it has been written."""

    __slots__ = ("arguments", "id", "name", "state")

    def __init__(self, *, call_id: str = "", name: str = "", state: str | None = None) -> None:
        self.id = call_id
        self.name = name
        self.arguments: list[str] = []
        self.state = state

    @property
    def complete(self) -> bool:
        """Whether the arguments already are a whole JSON object."""
        return is_object("".join(self.arguments))


class Answer:
    """Collects what streams, and makes the message of it."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.text: list[str] = []
        self.calls: list[PartialCall] = []
        self.usage: Usage | None = None

    def open_call(
        self, *, call_id: str = "", name: str = "", state: str | None = None
    ) -> tuple[int, CallDelta]:
        """A new tool call begins; its index and the delta that says so."""
        self.calls.append(PartialCall(call_id=call_id, name=name, state=state))
        index = len(self.calls) - 1
        return index, CallDelta(index, name)

    def message(self, finish: Finish | None, reasoning: Sequence[Reasoning] = ()) -> Message:
        """The whole answer. `finish` None: the stream ended without saying why."""
        label = self.target.vendor.label
        text = "".join(self.text)
        if finish is None:
            raise StreamBroken(
                f"The answer of {label} broke off before its end.", vendor=self.target.vendor.id
            )
        if not text and not self.calls and not any(part.text for part in reasoning):
            if finish == "content_filter":
                raise ContentRefused(
                    f"{label} withheld the answer: its content filter stepped in.",
                    hint="Say it in other words, or choose another model.",
                    vendor=self.target.vendor.id,
                )
            raise BadResponse(
                f"{label} sent an empty answer for {self.target.model}.",
                vendor=self.target.vendor.id,
            )
        return Message(
            role="assistant",
            content=text,
            reasoning=tuple(reasoning),
            tool_calls=self._tool_calls(),
            finish="tool_calls" if self.calls and finish == "stop" else finish,
            usage=self.usage,
            model=self.target.model,
        )

    def _tool_calls(self) -> tuple[ToolCall, ...]:
        taken: set[str] = set()
        calls: list[ToolCall] = []
        for call in self.calls:
            # The history is keyed by these ids, and some servers send none, or one for all.
            call_id = call.id
            if not call_id or call_id in taken:
                call_id = f"call_{secrets.token_hex(12)}"
            taken.add(call_id)
            arguments = "".join(call.arguments).strip() or "{}"
            calls.append(ToolCall(call_id, call.name, arguments, call.state))
        return tuple(calls)


def is_object(text: str) -> bool:
    """Whether this is a JSON object."""
    try:
        _OBJECT.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return False
    return True


def arguments_object(call: ToolCall) -> str:
    """A call's arguments as a JSON object, for the history that goes back to the vendor.

    Arguments that are no JSON object are wrapped: servers reject the conversation otherwise.
    """
    if is_object(call.arguments):
        return call.arguments
    return msgspec.json.encode({"invalid_arguments": call.arguments}).decode()
