"""A turn shown without a terminal application: one-shot questions, pipes, `--json`.

The answer goes to stdout as it streams, what the tools do to stderr. A pipe gets the answer's own
bytes; a terminal gets it cleaned.
"""

import sys
from collections.abc import Callable
from typing import Literal, TextIO

from hermes_agent.cli.terminal.lines import (
    diff_lines,
    ending_line,
    retry_line,
    tool_line,
)
from hermes_agent.cli.terminal.safe import Cleaner, clean
from hermes_agent.cli.terminal.style import coloured, paint
from hermes_agent.domain.events import (
    Compacted,
    Compacting,
    Completed,
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
from hermes_agent.domain.model import ReasoningDelta, Retrying, TextDelta
from hermes_agent.sessions.telling import told

Show = Callable[[Event], None]
Progress = Literal["off", "new", "all", "verbose"]
VERBOSE_LINES = 40
KEPT_CHARS = 8_000


class PlainView:
    """Streams the answer. `quiet` shows the final answer only, when it is whole."""

    def __init__(
        self,
        *,
        quiet: bool = False,
        reasoning: bool = False,
        progress: Progress = "all",
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        self.reasoning = reasoning
        self.progress: Progress = progress
        self.activity = ""
        self._quiet = quiet
        self._out = sys.stdout if out is None else out
        self._err = sys.stderr if err is None else err
        self._cleaner = Cleaner() if self._out.isatty() else None
        self._colour = coloured(self._err)
        self._summaries: dict[str, str] = {}
        self._printed: dict[str, str] = {}
        self._last_tool = ""
        self._open_line = False
        self._written = False

    def show(self, event: Event) -> None:
        """Show one event."""
        match event:
            case TextDelta(text=text) if not self._quiet:
                self._written = True
                self._write(self._cleaner.push(text) if self._cleaner else text)
            case ReasoningDelta(text=text) if self.reasoning and not self._quiet:
                self._err.write(paint(clean(text), "dim", on=self._colour))
                self._err.flush()
            case Retrying():
                if self._written:
                    self._say("… what was written of this answer is void")
                    self._written = False
                self._say(retry_line(event))
            case MessageDone() if not self._quiet:
                self._written = False
                self._end_line()
            case ToolStarted(call=call, summary=summary):
                self._summaries[call.id] = summary
            case ToolOutput(call_id=call_id, text=text) if self.progress == "verbose":
                self._printed[call_id] = (self._printed.get(call_id, "") + text)[-KEPT_CHARS:]
            case ToolFinished():
                self._tool_finished(event)
            case Steered(text=text):
                self._say(f"↳ {clean(text)}")
            case Notice(text=text):
                self._say(paint(clean(text), "yellow", on=self._colour))
            case Compacting() | Compacted() | NotCompacted():
                colour = "yellow" if isinstance(event, NotCompacted) else "dim"
                for line in told(event).splitlines():
                    self._say(paint(clean(line), colour, on=self._colour))
            case TurnEnded():
                self._ended(event)
            case _:
                pass

    def tick(self) -> None:
        """Nothing here shows the time."""

    def abandon(self) -> None:
        """The turn broke off without an ending."""
        self._end_line()
        self._summaries.clear()
        self._printed.clear()

    def _tool_finished(self, event: ToolFinished) -> None:
        result = event.result
        summary = self._summaries.pop(result.call_id, "")
        printed = clean(self._printed.pop(result.call_id, "")).splitlines()[-VERBOSE_LINES:]
        wanted = self.progress in ("all", "verbose") or (
            self.progress == "new" and result.name != self._last_tool
        )
        self._last_tool = result.name
        if self._quiet or not wanted:
            return
        self._say(tool_line(result, summary, colour=self._colour))
        for line in diff_lines(result.diff, colour=self._colour) if result.diff else ():
            self._say(line)
        for line in () if result.diff else printed:
            self._say(paint(f"  {line}", "dim", on=self._colour))

    def _ended(self, ended: TurnEnded) -> None:
        self._end_line()
        message = getattr(ended.ending, "message", None)
        if self._quiet and message is not None and not isinstance(message, str):
            content = message.content.rstrip("\n") + "\n"
            self._write(clean(content) if self._cleaner else content)
        if not isinstance(ended.ending, Completed):
            self._say(ending_line(ended, colour=self._colour))

    def _write(self, text: str) -> None:
        if text:
            self._out.write(_writable(text, self._out))
            self._out.flush()
            self._open_line = not text.endswith("\n")

    def _end_line(self) -> None:
        if self._cleaner is not None:
            self._write(self._cleaner.flush())
        if self._open_line:
            self._write("\n")

    def _say(self, line: str) -> None:
        self._end_line()
        self._err.write(_writable(line + "\n", self._err))
        self._err.flush()


class JsonView:
    """Every event as one line of JSON on stdout, its kind under `type`."""

    def __init__(self, out: TextIO | None = None) -> None:
        import msgspec

        self._out = sys.stdout if out is None else out
        self._encode = msgspec.json.Encoder().encode

    def show(self, event: Event) -> None:
        """Show one event."""
        self._out.write(self._encode(event).decode() + "\n")
        self._out.flush()

    def say(self, **fields: object) -> None:
        """A line of our own, such as the session's id."""
        self._out.write(self._encode(fields).decode() + "\n")
        self._out.flush()


def _writable(text: str, stream: TextIO) -> str:
    """`text` with what the stream's encoding has no bytes for as question marks."""
    if text.isascii():
        return text
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
