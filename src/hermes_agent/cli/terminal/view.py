"""A turn's events on the interactive screen: blocks as they finish, one line a tool call."""

import time
from collections.abc import Callable
from typing import Literal

from hermes_agent.cli.terminal.blocks import BlockSplitter
from hermes_agent.cli.terminal.lines import (
    diff_lines,
    duration,
    ending_line,
    retry_line,
    tool_line,
)
from hermes_agent.cli.terminal.plain import Progress
from hermes_agent.cli.terminal.port import Surface
from hermes_agent.cli.terminal.safe import Cleaner, clean, one_line, overwritten
from hermes_agent.cli.terminal.style import paint
from hermes_agent.cli.terminal.width import fit
from hermes_agent.domain.events import (
    Compacted,
    Compacting,
    Event,
    MessageDone,
    NotCompacted,
    Notice,
    Steered,
    ToolFinished,
    ToolOutput,
    ToolStarted,
    TurnEnded,
)
from hermes_agent.domain.model import CallDelta, ReasoningDelta, Retrying, TextDelta
from hermes_agent.sessions.telling import told

TAIL = 6
VERBOSE_TAIL = 40
KEPT_CHARS = 8_000
OPEN_LINES = 100
"""Of an open block no more is ever shown: no terminal has more rows to redraw."""


class ScreenView:
    """`render` makes terminal text of a finished Markdown block."""

    def __init__(
        self,
        surface: Surface,
        *,
        render: Callable[[str], str],
        colour: bool,
        progress: Progress,
        reasoning: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.progress: Progress = progress
        self.reasoning = reasoning
        self.activity = ""
        self._surface = surface
        self._render = render
        self._colour = colour
        self._clock = clock
        self._blocks = BlockSplitter()
        self._cleaner = Cleaner()
        self._thinking = ""
        self._running: dict[str, _Running] = {}
        self._last_tool = ""

    def show(self, event: Event) -> None:
        """Show one event."""
        match event:
            case TextDelta(text=text):
                self._text(text)
            case ReasoningDelta(text=text):
                self._reasoning(text)
            case CallDelta(name=name):
                self.activity = f"calling {name}" if name else self.activity
            case Retrying():
                self._retrying(event)
            case MessageDone(message=message):
                if message.role == "assistant":
                    self._finish_text()
                    self.activity = ""
            case ToolStarted(call=call, summary=summary):
                line = one_line(summary) or call.name
                self._running[call.id] = _Running(line, self._clock())
                self.activity = line
                self._show_tools()
            case ToolOutput(call_id=call_id, text=text):
                if call_id in self._running:
                    self._running[call_id].add(text)
                    self._show_tools()
            case ToolFinished():
                self._tool_finished(event)
            case Steered(text=text):
                self._line(f"↳ {clean(text)}", "cyan")
            case Notice(text=text):
                self._line(clean(text), "yellow")
            case Compacting() | Compacted() | NotCompacted():
                shortening = isinstance(event, Compacting)
                self.activity = "shortening the conversation" if shortening else ""
                colour = "yellow" if isinstance(event, NotCompacted) else "dim"
                for line in told(event).splitlines():
                    self._line(clean(line), colour)
            case TurnEnded():
                self._ended(event)

    def tick(self) -> None:
        """A second has passed."""
        if self._running:
            self._show_tools()

    def abandon(self) -> None:
        """The turn broke off without an ending: show what there is, forget the rest."""
        self._finish_text()
        self._running.clear()
        self._surface.live("")
        self.activity = ""

    def _text(self, text: str) -> None:
        self.activity = "writing"
        if self._thinking:
            self._finish_thinking()
        for block in self._blocks.push(self._cleaner.push(text)):
            self._surface.print(self._render(block))
        self._surface.live(self._blocks.tail(OPEN_LINES))

    def _reasoning(self, text: str) -> None:
        self.activity = "thinking"
        if self.reasoning:
            self._thinking += clean(text)
            end = self._thinking[-KEPT_CHARS:]
            self._surface.live(paint(end, "dim", on=self._colour))

    def _finish_thinking(self) -> None:
        for line in self._thinking.strip().splitlines():
            self._line("  " + line, "dim")
        self._thinking = ""

    def _finish_text(self) -> None:
        if self._thinking:
            self._finish_thinking()
        blocks = self._blocks.push(self._cleaner.flush())
        for block in (*blocks, self._blocks.flush()):
            if block.strip():
                self._surface.print(self._render(block))
        self._surface.live("")

    def _retrying(self, event: Retrying) -> None:
        self._cleaner.flush()
        if self._blocks.flush().strip() or self._thinking:
            self._line("… what was written of this answer is void", "dim")
        self._thinking = ""
        self._surface.live("")
        self.activity = f"waiting for {event.model}"
        self._line(retry_line(event), "yellow")

    def _tool_finished(self, event: ToolFinished) -> None:
        result = event.result
        running = self._running.pop(result.call_id, None) or _Running("", 0)
        wanted = self.progress in ("all", "verbose") or (
            self.progress == "new" and result.name != self._last_tool
        )
        self._last_tool = result.name
        if wanted or result.status != "ok":
            verbose = self.progress == "verbose"
            columns = None if verbose else self._surface.columns
            self._surface.print(
                tool_line(result, running.line, colour=self._colour, columns=columns)
            )
            if result.diff:
                self._surface.print("\n".join(diff_lines(result.diff, colour=self._colour)))
            elif verbose and (tail := running.tail(VERBOSE_TAIL)):
                self._surface.print("\n".join(paint(t, "dim", on=self._colour) for t in tail))
        self.activity = next((r.line for r in self._running.values()), "")
        self._show_tools()

    def _show_tools(self) -> None:
        room = max(2, TAIL // max(1, len(self._running)))
        columns = self._surface.columns
        lines: list[str] = []
        for running in self._running.values():
            time_ = duration(self._clock() - running.began)
            took = f"  {time_}" if self._clock() - running.began >= 1 else ""
            mark = paint("●", "yellow", on=self._colour)
            lines.append(f"{mark} {fit(running.line, columns - 2 - len(took))}{took}")
            lines += [
                paint(fit(line, columns), "dim", on=self._colour) for line in running.tail(room)
            ]
        self._surface.live("\n".join(lines))

    def _ended(self, event: TurnEnded) -> None:
        self.abandon()
        line = ending_line(event, colour=self._colour)
        if line:
            self._surface.print(line)

    def _line(self, text: str, colour: "Literal['dim', 'yellow', 'cyan']") -> None:
        self._surface.print(paint(text, colour, on=self._colour))


class _Running:
    """A tool call at work: its line, since when, and the end of what it printed."""

    def __init__(self, line: str, began: float) -> None:
        self.line = line
        self.began = began
        self._output = ""

    def add(self, text: str) -> None:
        self._output = (self._output + text)[-KEPT_CHARS:]

    def tail(self, lines: int) -> list[str]:
        """The last lines as a terminal would show them, set in."""
        text = clean(overwritten(self._output.rstrip())).expandtabs(8)
        return ["  " + line for line in text.splitlines()[-lines:]]
