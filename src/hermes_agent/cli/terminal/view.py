"""A turn's events on the interactive screen: blocks as they finish, one line a tool call."""

from collections.abc import Callable
from typing import Literal, Protocol

from hermes_agent.cli.terminal.blocks import BlockSplitter
from hermes_agent.cli.terminal.lines import diff_lines, ending_line, tool_line
from hermes_agent.cli.terminal.style import paint
from hermes_agent.domain.events import (
    Event,
    MessageDone,
    Notice,
    Steered,
    ToolFinished,
    ToolOutput,
    ToolStarted,
    TurnEnded,
)
from hermes_agent.domain.model import CallDelta, ReasoningDelta, Retrying, TextDelta

Progress = Literal["off", "new", "all", "verbose"]
OUTPUT_TAIL = 6


class Surface(Protocol):
    """Where it is shown."""

    def print(self, text: str) -> None:
        """For good."""
        ...

    def live(self, text: str) -> None:
        """Until the next call."""
        ...


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
    ) -> None:
        self.progress: Progress = progress
        self.reasoning = reasoning
        self.activity = ""
        self._surface = surface
        self._render = render
        self._colour = colour
        self._blocks = BlockSplitter()
        self._thinking = ""
        self._running: dict[str, str] = {}
        self._output = ""
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
            case ToolStarted(call=call, summary=summary):
                self._running[call.id] = summary
                self.activity = summary or call.name
                self._show_live()
            case ToolOutput(text=text):
                self._output = (self._output + text)[-4000:]
                self._show_live()
            case ToolFinished():
                self._tool_finished(event)
            case Steered(text=text):
                self._line(f"↳ {text}", "cyan")
            case Notice(text=text):
                self._line(text, "yellow")
            case TurnEnded():
                self._ended(event)

    def _text(self, text: str) -> None:
        self.activity = "writing"
        if self._thinking:
            self._finish_thinking()
        for block in self._blocks.push(text):
            self._surface.print(self._render(block))
        self._surface.live(self._blocks.open_text)

    def _reasoning(self, text: str) -> None:
        self.activity = "thinking"
        if self.reasoning:
            self._thinking += text
            self._surface.live(paint(self._thinking, "dim", on=self._colour))

    def _finish_thinking(self) -> None:
        for line in self._thinking.strip().splitlines():
            self._line("  " + line, "dim")
        self._thinking = ""

    def _finish_text(self) -> None:
        if self._thinking:
            self._finish_thinking()
        rest = self._blocks.flush()
        if rest.strip():
            self._surface.print(self._render(rest))
        self._surface.live("")

    def _retrying(self, event: Retrying) -> None:
        if self._blocks.flush().strip() or self._thinking:
            self._line("… what was written of this answer is void", "dim")
        self._thinking = ""
        self._surface.live("")
        self._line(f"… {event.reason} Asking {event.model} again in {event.delay:.0f} s.", "yellow")

    def _tool_finished(self, event: ToolFinished) -> None:
        result = event.result
        summary = self._running.pop(result.call_id, "")
        output, self._output = self._output, ""
        wanted = self.progress in ("all", "verbose") or (
            self.progress == "new" and result.name != self._last_tool
        )
        self._last_tool = result.name
        if wanted or result.status != "ok":
            self._surface.print(tool_line(result, summary, colour=self._colour))
            if result.diff:
                self._surface.print("\n".join(diff_lines(result.diff, colour=self._colour)))
            elif self.progress == "verbose" and output.strip():
                self._surface.print(paint(_tail(output, 40), "dim", on=self._colour))
        self._show_live()

    def _show_live(self) -> None:
        lines = [
            f"{paint('●', 'yellow', on=self._colour)} {line}" for line in self._running.values()
        ]
        if self._running and self._output:
            lines.append(paint(_tail(self._output, OUTPUT_TAIL), "dim", on=self._colour))
        self._surface.live("\n".join(lines))

    def _ended(self, event: TurnEnded) -> None:
        self._finish_text()
        self._running.clear()
        self.activity = ""
        line = ending_line(event, colour=self._colour)
        if line:
            self._surface.print(line)

    def _line(self, text: str, colour: "Literal['dim', 'yellow', 'cyan']") -> None:
        self._surface.print(paint(text, colour, on=self._colour))


def _tail(text: str, lines: int) -> str:
    return "\n".join("  " + line for line in text.rstrip().splitlines()[-lines:])
