"""How much of a model's window messages take: the vendor's count where there is one, else four
bytes a token."""

from collections.abc import Sequence

from hermes_agent.context.accounting import CHARS_PER_TOKEN, IMAGE_TOKENS
from hermes_agent.domain.messages import Message, Usage
from hermes_agent.domain.model import ToolSpec

_PACKING = 4
_CALL_PACKING = 8
_SURE = 500
_FACTORS = (0.5, 3.0)


def weigh(message: Message) -> int:
    """Tokens of one message, estimated."""
    size = _size(message.content)
    size += sum(
        len(call.name) + _size(call.arguments) + len(call.state or "")
        for call in message.tool_calls
    )
    size += sum(len(part.state) if part.state else _size(part.text) for part in message.reasoning)
    packing = _PACKING + _CALL_PACKING * len(message.tool_calls)
    return -(-size // CHARS_PER_TOKEN) + packing + IMAGE_TOKENS * len(message.images)


def weigh_all(messages: Sequence[Message]) -> int:
    """Tokens of many."""
    return sum(map(weigh, messages))


def weigh_text(text: str) -> int:
    """Tokens of a text, estimated."""
    return -(-_size(text) // CHARS_PER_TOKEN)


def weigh_fixed(system: str, tools: Sequence[ToolSpec]) -> int:
    """Tokens of what every request carries, estimated."""
    return weigh_text(system) + sum(
        weigh_text(tool.description) + -(-len(bytes(tool.parameters)) // CHARS_PER_TOKEN) + 15
        for tool in tools
    )


def expected(messages: Sequence[Message], fixed: int) -> int:
    """Tokens that a request with these messages takes: from the vendor's last count on, only
    what came since is estimated."""
    last = _counted(messages)
    if last is None:
        return fixed + weigh_all(messages)
    place, usage = last
    return usage.input + usage.output + weigh_all(messages[place + 1 :])


def factor(messages: Sequence[Message], fixed: int) -> float:
    """By how much the vendor counts more than we estimate, as far as it is known."""
    last = _counted(messages)
    if last is None:
        return 1.0
    place, usage = last
    estimated = fixed + weigh_all(messages[:place])
    if estimated < _SURE:
        return 1.0
    low, high = _FACTORS
    return min(max(usage.input / estimated, low), high)


def _counted(messages: Sequence[Message]) -> tuple[int, Usage] | None:
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        if message.role == "assistant" and message.usage is not None and message.usage.input:
            return place, message.usage
    return None


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
