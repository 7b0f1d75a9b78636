"""A tool's data as the text that the model gets: JSON, and never longer than the limit."""

import msgspec

from hermes_agent.tools.sound import sound

_HEAD = 0.4


def encode(data: dict[str, object] | str, limit: int) -> str:
    """At most `limit` characters. What is too long loses the middle of its longest text."""
    if isinstance(data, str):
        return str(sound(shorten(data, limit)))
    text = _json(data)
    while len(text) > limit:
        name, longest = _longest(data)
        room = len(longest) - (len(text) - limit) - _note_room(len(longest))
        if room < 1:
            return shorten(text, limit)
        data = {**data, name: shorten(longest, room)}
        text = _json(data)
    return text


def shorten(text: str, limit: int) -> str:
    """`text` with its middle left out and a note in its place; 40 % head, 60 % tail."""
    if len(text) <= limit:
        return text
    keep = max(0, limit - _note_room(len(text)))
    head = int(keep * _HEAD)
    tail = keep - head
    note = f"\n[… {len(text) - keep} characters left out …]\n"
    return text[:head] + note + (text[-tail:] if tail else "")


def _note_room(length: int) -> int:
    return len(f"\n[… {length} characters left out …]\n")


def _longest(data: dict[str, object]) -> tuple[str, str]:
    texts = [(name, value) for name, value in data.items() if isinstance(value, str)]
    return max(texts, key=lambda pair: len(pair[1]), default=("", ""))


def _json(data: dict[str, object]) -> str:
    try:
        return msgspec.json.encode(data, enc_hook=str).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(sound(data), enc_hook=str).decode()
