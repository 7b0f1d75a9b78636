"""What of a history stays together: an answer with calls and the results of these calls."""

from collections.abc import Sequence

from hermes_agent.domain.messages import Message

Group = tuple[Message, ...]


def split(messages: Sequence[Message]) -> list[Group]:
    """The groups in order; together they are the messages."""
    groups: list[list[Message]] = []
    for message in messages:
        if message.role == "tool" and groups:
            groups[-1].append(message)
        else:
            groups.append([message])
    return [tuple(group) for group in groups]


def is_answer(message: Message) -> bool:
    """Whether a message ends a turn."""
    return (
        message.role == "assistant"
        and not message.tool_calls
        and message.finish not in ("interrupted", "length")
        and bool(message.content.strip())
    )
