"""How sessions look on a terminal: aligned columns, relative times, nothing that moves it."""

import os
import re
import sys
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from hermes_agent.store.records import Hit, Session, SessionSummary, Stats

if TYPE_CHECKING:
    from hermes_agent.domain.messages import Message

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_TOOL_LINES = 12


def printable(text: str | None) -> str:
    """The text without what would move the cursor, colour or reorder the screen."""
    return _CONTROLS.sub("", text or "")


def ago(moment: float, now: float | None = None) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `yesterday`, `4 days ago`, then the date."""
    seconds = (time.time() if now is None else now) - moment
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    if seconds < 86400:
        return f"{seconds // 3600:.0f} h ago"
    if seconds < 2 * 86400:
        return "yesterday"
    if seconds < 14 * 86400:
        return f"{seconds // 86400:.0f} days ago"
    return time.strftime("%Y-%m-%d", time.localtime(moment))


def session_table(sessions: Sequence[SessionSummary], *, numbered: bool = False) -> list[str]:
    """A heading and a line for each session; titles are cut only where a terminal would wrap."""
    heading = ("ID", "ACTIVE", "SOURCE", "MESSAGES", "TITLE")
    rows = [
        (
            printable(session.id),
            ago(session.last_active),
            printable(session.source),
            str(session.message_count),
            _one_line(session.title or session.preview or "(empty)"),
        )
        for session in sessions
    ]
    if numbered:
        heading = ("", *heading)
        rows = [(f"{number})", *row) for number, row in enumerate(rows, 1)]
    widths = [max(_width(row[at]) for row in (heading, *rows)) for at in range(len(heading) - 1)]
    room = _columns() - sum(widths) - 2 * len(widths)
    lines = [
        "  ".join([*map(_padded, row, widths), _cut(row[-1], room)]).rstrip()
        for row in (heading, *rows)
    ]
    return [styled(lines[0], bold=True), *lines[1:]]


def transcript(session: Session, history: Iterable["Message"]) -> Iterator[str]:
    """A heading, then what was said; long tool output is shortened."""
    yield styled(printable(session.title or session.id), bold=True)
    started = time.strftime("%Y-%m-%d %H:%M", time.localtime(session.started_at))
    parts = [session.id, session.source, session.model, f"started {started}", session.end_reason]
    yield printable(" · ".join(part for part in parts if part))
    if session.parent_session_id:
        yield printable(f"goes on from {session.parent_session_id}")
    for message in history:
        at = time.strftime("%H:%M:%S", time.localtime(message.timestamp))
        name = _speaker(message)
        yield ""
        yield styled(f"[{at}] {printable(name)}", fg=_COLOURS.get(message.role))
        if message.images:
            yield f"({len(message.images)} image{'s' if len(message.images) > 1 else ''})"
        lines = printable(message.content).splitlines()
        if message.role == "tool" and len(lines) > _TOOL_LINES:
            lines[_TOOL_LINES:] = [f"… {len(lines) - _TOOL_LINES} more lines"]
        yield from lines
        for call in message.tool_calls:
            yield printable(f"→ {call.name} {_cut(call.arguments, 400)}")


def _speaker(message: "Message") -> str:
    if message.summary:
        return "summary of what was said before"
    return f"tool {message.tool_name or ''}".strip() if message.role == "tool" else message.role


_COLOURS = {"user": "green", "assistant": "cyan", "tool": "yellow"}


def hit_lines(hit: Hit) -> Iterator[str]:
    """Two lines for a hit: where, and the words around it with the matches in bold."""
    title = f"  {printable(hit.title)}" if hit.title else ""
    yield styled(f"{printable(hit.session_id)}{title}", bold=True)
    snippet = _one_line(hit.snippet)
    if _coloured():
        snippet = re.sub(">>>(.*?)<<<", lambda match: styled(match[1], bold=True), snippet)
    yield f"  {hit.role}, {ago(hit.timestamp)}: {snippet}"


def stats_lines(stats: Stats) -> list[str]:
    """What is stored, line by line."""
    rows = [
        ("Sessions", str(stats.sessions)),
        *(("  " + printable(source), str(count)) for source, count in stats.by_source.items()),
        ("Messages", str(stats.messages)),
        ("On disk", f"{stats.bytes / 1e6:.1f} MB"),
    ]
    if stats.oldest is not None and stats.newest is not None:
        rows += [("Oldest", ago(stats.oldest)), ("Newest", ago(stats.newest))]
    width = max(len(name) for name, _ in rows)
    return [f"{_padded(name, width)}  {figure}" for name, figure in rows]


def styled(text: str, *, bold: bool = False, fg: str | None = None) -> str:
    """Coloured where there is a terminal and NO_COLOR is not set."""
    return click.style(text, bold=bold or None, fg=fg) if _coloured() else text


def _coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _one_line(text: str) -> str:
    return " ".join(printable(text.replace("\r", " ")).split())


def _columns() -> int:
    """The terminal's width; without one, room for everything."""
    if not sys.stdout.isatty():
        return 1_000_000
    # shutil asks the same, and brings the compression modules along.
    named = os.environ.get("COLUMNS", "")
    return int(named) if named.isdecimal() and int(named) else os.get_terminal_size().columns or 80


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _cut(text: str, room: int) -> str:
    room = max(room, 10)
    if len(text) <= room and _width(text) <= room:
        return text
    text = text[: room - 1]
    while _width(text) >= room:
        text = text[:-1]
    return text + "…"
