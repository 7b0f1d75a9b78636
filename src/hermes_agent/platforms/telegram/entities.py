"""Entities of a text: https://core.telegram.org/bots/api#messageentity.

Their offsets count UTF-16 code units, and nothing promises that they lie inside the text.
"""

from collections.abc import Iterable, Sequence

from hermes_agent.platforms.telegram.wire import Entity

Span = tuple[int, int]


class Text:
    """A text that can be cut by UTF-16 offsets."""

    def __init__(self, text: str) -> None:
        self._data = text.encode("utf-16-le", "surrogatepass")

    def within(self, entity: Entity) -> bool:
        """Whether the entity lies inside the text."""
        return (
            entity.offset >= 0
            and entity.length > 0
            and 2 * (entity.offset + entity.length) <= len(self._data)
        )

    def part(self, start: int, end: int) -> str:
        """What stands between two offsets."""
        return self._data[2 * start : 2 * end].decode("utf-16-le", "replace")

    def without(self, spans: Iterable[Span]) -> str:
        """The text without these parts, and without the gaps that they leave."""
        left, place = "", 0
        for start, end in sorted(spans):
            if start < place:
                continue
            left = _joined(left, self.part(place, start)) if place else self.part(0, start)
            place = end
        rest = self.part(place, len(self._data) // 2)
        return (_joined(left, rest) if place else rest).strip()


def mentions(text: Text, entities: Sequence[Entity], username: str, bot_id: int) -> list[Span]:
    """Where we are named: `@username`, or a mention that points to us."""
    name = f"@{username}".lower()
    found: list[Span] = []
    for entity in entities:
        if not text.within(entity):
            continue
        end = entity.offset + entity.length
        by_name = entity.type == "mention" and text.part(entity.offset, end).lower() == name
        by_id = entity.type == "text_mention" and entity.user and entity.user.id == bot_id
        if by_name or by_id:
            found.append((entity.offset, end))
    return found


def command(text: Text, entities: Sequence[Entity], username: str) -> tuple[bool, Span | None]:
    """Whether the text begins with a command that is not somebody else's, and where our name
    stands in it (`/stop@our_bot`)."""
    for entity in entities:
        if entity.type != "bot_command" or entity.offset != 0 or not text.within(entity):
            continue
        word = text.part(0, entity.length)
        bare, at, name = word.partition("@")
        if not at:
            return True, None
        if name.lower() == username.lower():
            return True, (len(bare), entity.length)
        return False, None
    return False, None


def _joined(left: str, right: str) -> str:
    if not left.strip():
        return right.lstrip(" ,:;\n")
    if left[-1:].isspace() and right[:1] == " ":
        return left + right[1:]
    return left + right
