"""What the tools are doing, as one message that is edited."""

import re
from collections import deque
from typing import Literal

import msgspec

from hermes_agent.delivery.cleaning import clean_line
from hermes_agent.domain.events import ToolFinished, ToolStarted
from hermes_agent.domain.messages import CallStatus

Mode = Literal["off", "new", "all", "verbose"]

LINES = 8
"""Lines that are shown; what came before is counted."""
SHORT, LONG = 100, 300
"""Characters of a line, and of one in `verbose`."""

_SIGNS: dict[CallStatus, str] = {"ok": "✓", "error": "✗", "denied": "⊘", "interrupted": "◼"}


class _Call(msgspec.Struct):
    id: str
    name: str
    summary: str
    arguments: str
    status: CallStatus | None = None
    seconds: float = 0.0
    again: int = 0


class Progress:
    """`mode` as in `display.tool_progress`: `new` has a line only when the tool changes, `all`
    one for every call, `verbose` also arguments and results, `off` none."""

    def __init__(self, mode: Mode) -> None:
        self._mode: Mode = mode
        self._calls: deque[_Call] = deque(maxlen=LINES)
        self._open: dict[str, _Call] = {}
        self._lines = 0

    def feed(self, event: ToolStarted | ToolFinished) -> None:
        """A tool call began or ended."""
        if self._mode == "off":
            return
        if isinstance(event, ToolFinished):
            self._finish(event)
            return
        call = event.call
        last = self._calls[-1] if self._calls else None
        if self._mode == "new" and last is not None and last.name == call.name:
            last.again += 1
            last.status = None
            last.summary = event.summary
            self._open[call.id] = last
            return
        row = _Call(call.id, call.name, event.summary, call.arguments)
        self._calls.append(row)
        self._lines += 1
        self._open[call.id] = row

    def text(self) -> str:
        """The message in Markdown, empty while there is nothing to show."""
        lines = [self._line(call) for call in self._calls]
        hidden = self._lines - len(lines)
        if hidden:
            lines.insert(0, f"… and {hidden} more")
        return "\n".join(lines)

    def _finish(self, event: ToolFinished) -> None:
        result = event.result
        row = self._open.pop(result.call_id, None)
        if row is None:
            return
        row.seconds += result.duration
        if not any(other is row for other in self._open.values()):
            row.status = result.status
        if self._mode == "verbose" and result.summary:
            row.summary = f"{row.summary} → {result.summary}"

    def _line(self, call: _Call) -> str:
        sign = "⋯" if call.status is None else _SIGNS[call.status]
        words = f"{call.name}: {call.summary}" if call.summary else call.name
        if self._mode == "verbose" and call.arguments.strip() not in ("", "{}"):
            words += f" {call.arguments}"
        times = f" ×{call.again + 1}" if call.again else ""
        took = f" ({call.seconds:.1f} s)" if call.status and call.seconds >= 0.1 else ""
        shown = _short(words, LONG if self._mode == "verbose" else SHORT)
        return f"{sign} {_literal(shown)}{times}{took}"


def _short(words: str, most: int) -> str:
    # Cut before cleaning: arguments can hold a whole file.
    line = " ".join(clean_line(words[: most * 4]).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _literal(text: str) -> str:
    """Text that Markdown takes for text: arguments are full of its signs."""
    if "`" not in text:
        return f"`{text}`"
    fence = "`" * (max(map(len, re.findall("`+", text))) + 1)
    return f"{fence} {text} {fence}"
