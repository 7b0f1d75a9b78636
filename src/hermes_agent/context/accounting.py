"""What a request costs in tokens, before the vendor has counted it: four characters a token."""

from collections.abc import Sequence

import msgspec

from hermes_agent.context.prompt import Prompt
from hermes_agent.domain.messages import Message
from hermes_agent.domain.model import ToolSpec

CHARS_PER_TOKEN = 4
IMAGE_TOKENS = 1_000


class Cost(msgspec.Struct, frozen=True):
    """A named share of a request: bytes as sent (about), tokens estimated."""

    name: str
    size: int
    tokens: int


def fixed_part(prompt: Prompt, tools: Sequence[ToolSpec]) -> tuple[Cost, ...]:
    """What every request of the session carries, piece by piece."""
    pieces = [_cost(f"prompt: {piece.name}", len(piece.text.encode())) for piece in prompt.pieces]
    schemas = [
        _cost(
            f"tool: {tool.name}",
            len(bytes(tool.parameters)) + len(tool.description.encode()) + len(tool.name) + 60,
        )
        for tool in tools
    ]
    return (*pieces, *schemas)


def conversation(messages: Sequence[Message]) -> Cost:
    """The history's share, estimated."""
    size = sum(
        len(m.content.encode("utf-8", "replace"))
        + sum(len(c.arguments) + len(c.name) for c in m.tool_calls)
        for m in messages
    )
    images = sum(len(m.images) for m in messages)
    cost = _cost("conversation", size)
    return msgspec.structs.replace(cost, tokens=cost.tokens + images * IMAGE_TOKENS)


def _cost(name: str, size: int) -> Cost:
    return Cost(name, size, -(-size // CHARS_PER_TOKEN))
