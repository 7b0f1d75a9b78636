"""Messages as a text that another model reads, in pieces that fit its window."""

from collections.abc import Iterator, Sequence

from hermes_agent.context.compaction.texts import text
from hermes_agent.domain.messages import Message

LONGEST_RESULT = 3_000
LONGEST_ARGUMENTS = 600
MOST_PIECES = 12
BETWEEN = "\n\n"
_SPEAKERS = {"user": "Person", "assistant": "Agent"}


def pieces(messages: Sequence[Message], size: int) -> list[str]:
    """The transcript in pieces of at most `size` characters, twelve at most.

    Nothing that a person or the agent said is left out, unless twelve pieces cannot hold it; then
    each message keeps its beginning and its end.
    """
    lines = [_line(message) for message in messages]
    # Lines that do not go together may leave half of a piece empty.
    room = size * (MOST_PIECES - 1) // 2
    if sum(map(len, lines)) + len(lines) * len(BETWEEN) > room:
        lines = _fitting(lines, room - len(lines) * len(BETWEEN))
    made: list[str] = []
    held = ""
    for part in (part for line in lines for part in _cut(line, size)):
        if held and len(held) + len(part) + len(BETWEEN) > size:
            made.append(held)
            held = ""
        held = f"{held}{BETWEEN}{part}" if held else part
    return [*made, held] if held else made


def _line(message: Message) -> str:
    pictures = f" [{len(message.images)} picture(s)]" if message.images else ""
    if message.role == "tool":
        result = _ends(message.content, LONGEST_RESULT)
        return f"Result of {message.tool_name or 'a tool'}: {result}{pictures}"
    calls = "".join(
        f"\n[calls {call.name} {_ends(call.arguments, LONGEST_ARGUMENTS)}]"
        for call in message.tool_calls
    )
    torn = " [broken off]" if message.finish == "interrupted" else ""
    return f"{_SPEAKERS[message.role]}: {message.content}{pictures}{torn}{calls}"


def _fitting(lines: Sequence[str], size: int) -> list[str]:
    """Each in the room that is left when the short ones have taken theirs."""
    left, longest = size, 0
    for count, length in zip(range(len(lines), 0, -1), sorted(map(len, lines)), strict=True):
        longest = max(left // count, 1)
        if length <= longest:
            left -= length
        else:
            break
    return [_ends(line, longest) for line in lines]


def _ends(content: str, size: int) -> str:
    if len(content) <= size:
        return content
    note = f" [… {len(content):,} characters in all] "
    room = size - len(note)
    if room < len(note):
        return content[:size]
    last = room // 3
    return f"{content[: room - last]}{note}{content[-last:]}"


def _cut(line: str, size: int) -> Iterator[str]:
    for start in range(0, len(line), size):
        yield line[start : start + size]
    if not line:
        yield ""


def request(earlier: str, transcript: str, *, focus: str, words: int) -> str:
    """What the model is asked with one piece. Nothing in the data can close its own frame."""
    parts = [
        f"<notes>\n{framed(earlier)}\n</notes>" if earlier else "",
        f"<conversation>\n{framed(transcript)}\n</conversation>",
        f"The person asks you to keep above all: {framed(focus)}" if focus else "",
        f"Write the notes, in at most {words} words.",
    ]
    return "\n\n".join(part for part in parts if part)


def again(reason: str, words: int) -> str:
    """What is said to an answer that could not be used."""
    return text("again").format(reason=reason, words=words)


def framed(data: str) -> str:
    """Text without tags of ours."""
    for tag in ("notes", "conversation", "files", "todos"):
        data = data.replace(f"</{tag}>", f"< /{tag}>").replace(f"<{tag}>", f"< {tag}>")
    return data
