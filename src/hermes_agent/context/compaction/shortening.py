"""Taking away from single messages without a model: what was cut is said, and where it is."""

from collections.abc import Callable
from typing import cast

import msgspec

from hermes_agent.context.accounting import CHARS_PER_TOKEN
from hermes_agent.context.compaction.measure import weigh
from hermes_agent.context.compaction.texts import text
from hermes_agent.domain.messages import Message, ToolCall

OLD_RESULT = 600
"""Characters from which on an old result of a tool is thinned."""
KEPT_OF_OLD = 120
_KEEP_RESULTS_OF = ("todo",)
_LEAST = 40


class Shortener:
    """`session_id` holds the whole messages; `searchable` says that the agent can look there."""

    def __init__(self, session_id: str, *, searchable: bool) -> None:
        self._session_id = session_id
        self._search = "; session_search shows it" if searchable else ""

    def thinned(self, message: Message) -> Message:
        """An old result of a tool without most of it and without pictures; any other message as
        it is."""
        if message.role != "tool" or message.tool_name in _KEEP_RESULTS_OF:
            return message
        if message.images:
            note = text("unpictured").format(message=message.id, session=self._session_id)
            words = f"{message.content}\n{note}"
            message = msgspec.structs.replace(message, content=words, images=())
        if len(message.content) <= OLD_RESULT:
            return message
        kept = message.content[:KEPT_OF_OLD]
        note = self._note(message, len(message.content) - len(kept))
        return msgspec.structs.replace(message, content=f"{kept}\n{note}")

    def shortened(self, message: Message, tokens: int) -> Message:
        """The message in about so many tokens: beginning and end of what it says."""
        if weigh(message) <= tokens:
            return message
        size = tokens * CHARS_PER_TOKEN // 2 // max(1, len(message.tool_calls))
        calls = tuple(_shorter_call(call, size) for call in message.tool_calls)
        message = msgspec.structs.replace(message, tool_calls=calls)
        if weigh(message) <= tokens:
            return message
        message = msgspec.structs.replace(message, images=(), reasoning=())
        if weigh(message) <= tokens:
            return message
        note = self._note(message, len(message.content))
        room = tokens - weigh(msgspec.structs.replace(message, content=note)) - 2
        ends = _ends(message.content, room * CHARS_PER_TOKEN, note=self._noter(message))
        return msgspec.structs.replace(message, content=ends)

    def _noter(self, message: Message) -> Callable[[int], str]:
        return lambda cut: self._note(message, cut)

    def _note(self, message: Message, cut: int) -> str:
        return text("thinned").format(
            cut=f"{cut:,}",
            message=message.id if message.id is not None else "?",
            session=self._session_id,
            search=self._search,
        )


def _ends(content: str, size: int, *, note: Callable[[int], str]) -> str:
    """Beginning and end, together of `size` bytes at most, and between them what was cut."""
    first = _first_bytes(content, max(size * 2 // 3, _LEAST))
    last = _last_bytes(content[len(first) :], size // 3)
    cut = len(content) - len(first) - len(last)
    return f"{first}\n{note(cut)}\n{last}".rstrip() if cut > 0 else content


def _first_bytes(content: str, size: int) -> str:
    return content[:size].encode("utf-8", "replace")[:size].decode("utf-8", "ignore")


def _last_bytes(content: str, size: int) -> str:
    if size <= 0:
        return ""
    return content[-size:].encode("utf-8", "replace")[-size:].decode("utf-8", "ignore")


def _shorter_call(call: ToolCall, size: int) -> ToolCall:
    arguments = _shorter_arguments(call.arguments, size)
    if arguments is call.arguments:
        return call
    # The vendor's signature was for the arguments as they were.
    return msgspec.structs.replace(call, arguments=arguments, state=None)


def _shorter_arguments(arguments: str, size: int) -> str:
    """JSON still: long texts in it lose their middle."""
    if len(arguments.encode("utf-8", "replace")) <= size:
        return arguments
    try:
        given = msgspec.json.decode(arguments, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeEncodeError):
        given = {}
    for longest in (size // 2, size // 8, _LEAST):
        shorter = msgspec.json.encode(_cut_texts(given, max(longest, _LEAST)))
        if given and len(shorter) <= size:
            return shorter.decode()
    return '{"left_out": "the arguments were too long"}'


def _cut_texts(value: object, size: int) -> object:
    if isinstance(value, str) and len(value) > size:
        kept = value[: size // 2]
        return f"{kept} [… {len(value) - len(kept):,} characters left out]"
    if isinstance(value, list):
        return [_cut_texts(each, size) for each in cast("list[object]", value)]
    if isinstance(value, dict):
        held = cast("dict[str, object]", value)
        return {name: _cut_texts(each, size) for name, each in held.items()}
    return value
