"""What every dialect takes and gives: an answer to encode, and the frames of its stream."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from tests.servers.script import Reply, Usage

Part = Literal["start", "reasoning", "text", "arguments", "middle", "finish", "usage", "end"]
DELTAS: tuple[Part, ...] = ("reasoning", "text", "arguments")


class Frame(NamedTuple):
    """One server-sent event; `part` says which part of the answer it carries.

    `finish` frames tell the finish reason, `end` frames close the stream; `start` and `middle`
    frames are the scaffolding round the deltas.
    """

    part: Part
    data: str
    event: str | None = None


@dataclass(frozen=True)
class Answer:
    """A reply on its way to one request. `serial` numbers the answers of a server."""

    reply: Reply
    model: str
    payload: Mapping[str, Any]
    serial: int
    created: int
    request_size: int

    @cached_property
    def usage(self) -> Usage:
        """What the reply says, or an estimate of a token for four characters."""
        reply = self.reply
        if reply.usage is not None:
            return reply.usage
        written = reply.whole_text + "".join(call.name + call.text for call in reply.calls)
        thought = (len(reply.reasoning) + 3) // 4
        return Usage(
            input=max(self.request_size // 4, 1),
            output=max((len(written) + 3) // 4, 1) + thought,
            reasoning=thought,
        )


def encode(value: Any) -> str:
    """Compact JSON with characters as they are; lone surrogates are escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text
