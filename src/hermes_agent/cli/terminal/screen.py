"""The terminal application: finished output scrolls away above, and stays in the scrollback.

Below it, redrawn in place: the block that is being written, a panel, the status line, the input.
There is no alternate screen.
"""

import asyncio
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from prompt_toolkit.application import Application, run_in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer
from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import AppendAutoSuggestion
from prompt_toolkit.styles import Style

from hermes_agent.cli.terminal.keys import key_bindings
from hermes_agent.cli.terminal.panel import Panel

STYLE = Style.from_dict(
    {
        "prompt": "bold ansicyan",
        "status": "ansibrightblack",
        "status.busy": "ansiyellow",
        "panel.title": "bold ansiyellow",
        "panel.selected": "bold ansicyan",
        "panel.hint": "ansibrightblack",
        "auto-suggestion": "ansibrightblack",
    }
)
FRAME = 1 / 60
MAX_INPUT_LINES = 10
RESERVED_LINES = 8


class Listener(Protocol):
    """Who gets what the person does."""

    def line(self, text: str) -> None:
        """The person sent this."""
        ...

    def interrupt(self) -> bool:
        """Ctrl-C; False when there was nothing to interrupt."""
        ...


class Screen:
    """The application. All methods belong to the event loop that runs it."""

    def __init__(
        self,
        *,
        listener: Listener,
        status: Callable[[], StyleAndTextTuples],
        completer: Completer,
        history_file: Path | None,
        on_paste: Callable[[str], str],
    ) -> None:
        self.on_paste = on_paste
        self._listener = listener
        self._printing: list[str] = []
        self._live = ""
        self._next_live = ""
        self._flushing = False
        self.panel: Panel | None = None
        self._asking = asyncio.Lock()
        history: History = FileHistory(str(history_file)) if history_file else InMemoryHistory()
        self.buffer = Buffer(
            multiline=True,
            history=history,
            completer=completer,
            complete_while_typing=True,
            auto_suggest=AutoSuggestFromHistory(),
        )
        self.app: Application[None] = Application(
            layout=self._layout(status),
            key_bindings=key_bindings(self),
            style=STYLE,
            full_screen=False,
            erase_when_done=True,
            min_redraw_interval=FRAME,
        )

    async def run(self) -> None:
        """Until the person leaves."""
        await self.app.run_async()
        self._write_pending()

    def print(self, text: str) -> None:
        """Print for good, above everything that is redrawn. ANSI colours are kept."""
        self._printing.append(text if text.endswith("\n") else text + "\n")
        self._schedule()

    def live(self, text: str) -> None:
        """Show the block that is still being written."""
        self._next_live = text
        if not self._printing:
            self._live = text
            self.app.invalidate()

    async def ask(self, panel: Panel, timeout: float | None) -> str | None:
        """Show a panel until it is answered; one at a time."""
        async with self._asking:
            self.panel = panel
            self.app.invalidate()
            try:
                return await panel.answer(timeout)
            finally:
                self.panel = None
                self.app.invalidate()

    def submit(self) -> None:
        """Enter was pressed."""
        text = self.buffer.text
        if self.panel is not None and self.panel.enter(text):
            self.buffer.reset()
            return
        if text.strip():
            self.buffer.append_to_history()
            self.buffer.reset()
            self._listener.line(text)

    def interrupt(self) -> None:
        """Ctrl-C: the panel, then the agent, then the line, then the program."""
        if self.panel is not None:
            self.panel.choose(None)
        elif self._listener.interrupt():
            return
        elif self.buffer.text:
            self.buffer.reset()
        else:
            self.exit()

    def exit(self) -> None:
        """Leave."""
        if self.app.is_running:
            self.app.exit()

    def _schedule(self) -> None:
        if not self._flushing and self.app.is_running:
            self._flushing = True
            task = asyncio.ensure_future(run_in_terminal(self._write_pending))
            task.add_done_callback(self._flushed)

    def _flushed(self, task: "asyncio.Future[None]") -> None:
        self._flushing = False
        task.result()
        if self._printing:
            self._schedule()

    def _write_pending(self) -> None:
        text = "".join(self._printing)
        self._printing.clear()
        self._live = self._next_live
        sys.stdout.write(text)
        sys.stdout.flush()

    def _layout(self, status: Callable[[], StyleAndTextTuples]) -> Layout:
        live = Window(
            FormattedTextControl(self._live_text), wrap_lines=True, dont_extend_height=True
        )
        panel = Window(
            FormattedTextControl(lambda: self.panel.text() if self.panel else []),
            wrap_lines=True,
            dont_extend_height=True,
        )
        entry = Window(
            BufferControl(self.buffer, input_processors=[AppendAutoSuggestion()]),
            wrap_lines=True,
            height=Dimension(min=1, max=MAX_INPUT_LINES),
            dont_extend_height=True,
        )
        from prompt_toolkit.filters import Condition

        body = HSplit(
            [
                ConditionalContainer(live, Condition(lambda: bool(self._live))),
                ConditionalContainer(panel, Condition(lambda: self.panel is not None)),
                VSplit(
                    [
                        Window(
                            FormattedTextControl([("class:prompt", "❯ ")]),
                            width=2,
                            dont_extend_height=True,
                        ),
                        entry,
                    ]
                ),
                Window(FormattedTextControl(status), height=1, style="class:status"),
            ]
        )
        menu = Float(CompletionsMenu(max_height=8), xcursor=True, ycursor=True)
        return Layout(FloatContainer(body, [menu]), focused_element=entry)

    def _live_text(self) -> ANSI:
        # Only the end of a long open block: the whole of it is printed when it is finished.
        rows = max(4, shutil.get_terminal_size().lines - RESERVED_LINES)
        lines = self._live.rstrip("\n").split("\n")
        return ANSI("\n".join(lines[-rows:]))


class Presses:
    """Counts presses that follow each other within two seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = float("-inf")

    def again(self) -> bool:
        """Whether this press follows another."""
        now = self._clock()
        repeated = now - self._last < 2.0
        self._last = now
        return repeated
