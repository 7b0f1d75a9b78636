"""A turn shown without a terminal application: one-shot questions, pipes, `--json`.

The answer goes to stdout as it streams, what the tools do to stderr.
"""

import sys
from collections.abc import Callable
from typing import TextIO

from hermes_agent.cli.terminal.lines import diff_lines, ending_line, tool_line
from hermes_agent.cli.terminal.style import coloured, paint
from hermes_agent.domain.events import (
    Completed,
    Event,
    MessageDone,
    Notice,
    ToolFinished,
    ToolStarted,
    TurnEnded,
)
from hermes_agent.domain.model import ReasoningDelta, Retrying, TextDelta

Show = Callable[[Event], None]


class PlainView:
    """Streams the answer. `quiet` shows the final answer only, when it is whole."""

    def __init__(
        self,
        *,
        quiet: bool = False,
        reasoning: bool = False,
        tools: bool = True,
        out: TextIO = sys.stdout,
        err: TextIO = sys.stderr,
    ) -> None:
        self._quiet = quiet
        self._reasoning = reasoning
        self._tools = tools and not quiet
        self._out = out
        self._err = err
        self._colour = coloured(err)
        self._summaries: dict[str, str] = {}
        self._open_line = False

    def show(self, event: Event) -> None:
        """Show one event."""
        match event:
            case TextDelta(text=text) if not self._quiet:
                self._out.write(text)
                self._out.flush()
                self._open_line = not text.endswith("\n")
            case ReasoningDelta(text=text) if self._reasoning and not self._quiet:
                self._err.write(paint(text, "dim", on=self._colour))
                self._err.flush()
            case Retrying(reason=reason, delay=delay, model=model):
                self._say(f"… {reason} Asking {model} again in {delay:.0f} s.", force=True)
            case MessageDone() if not self._quiet:
                self._end_line()
            case ToolStarted(call=call, summary=summary):
                self._summaries[call.id] = summary
            case ToolFinished(result=result) if self._tools:
                summary = self._summaries.pop(result.call_id, "")
                self._say(tool_line(result, summary, colour=self._colour))
                for line in diff_lines(result.diff, colour=self._colour) if result.diff else ():
                    self._say(line)
            case Notice(text=text):
                self._say(paint(text, "yellow", on=self._colour), force=True)
            case TurnEnded():
                self._ended(event)
            case _:
                pass

    def _ended(self, ended: TurnEnded) -> None:
        self._end_line()
        message = getattr(ended.ending, "message", None)
        if self._quiet and message is not None and not isinstance(message, str):
            self._out.write(message.content.rstrip("\n") + "\n")
            self._out.flush()
        if not isinstance(ended.ending, Completed):
            self._say(ending_line(ended, colour=self._colour), force=True)

    def _end_line(self) -> None:
        if self._open_line:
            self._out.write("\n")
            self._out.flush()
            self._open_line = False

    def _say(self, line: str, *, force: bool = False) -> None:
        if force or self._tools:
            self._end_line()
            self._err.write(line + "\n")
            self._err.flush()


class JsonView:
    """Every event as one line of JSON on stdout, its kind under `type`."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        import msgspec

        self._out = out
        self._encode = msgspec.json.Encoder().encode

    def show(self, event: Event) -> None:
        """Show one event."""
        self._out.write(self._encode(event).decode() + "\n")
        self._out.flush()

    def say(self, **fields: object) -> None:
        """A line of our own, such as the session's id."""
        self._out.write(self._encode(fields).decode() + "\n")
        self._out.flush()
