"""The terminal application: finished output scrolls away above, and stays in the scrollback.

Below it, redrawn in place: the block that is being written, a panel, the input, the completions,
the status line. There is no alternate screen, and the terminal is never asked anything: answers
would mix with what the person types.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from prompt_toolkit.application import Application, run_in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer
from prompt_toolkit.data_structures import Size
from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

from hermes_agent.cli.terminal.history import KeptHistory
from hermes_agent.cli.terminal.keys import key_bindings
from hermes_agent.cli.terminal.layout import STYLE, screen_layout
from hermes_agent.cli.terminal.markdown import warm
from hermes_agent.cli.terminal.panel import Panel
from hermes_agent.cli.terminal.port import Listener
from hermes_agent.cli.terminal.safe import only_colours
from hermes_agent.cli.terminal.style import coloured
from hermes_agent.cli.terminal.width import last_rows

FRAME = 1 / 60
WARM_AFTER = 0.2
RESERVED_LINES = 4
# DEC private mode 2026: a terminal that knows it shows everything between at once.
_TOGETHER, _DONE = "\x1b[?2026h", "\x1b[?2026l"
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"


class Screen:
    """Fills the `Terminal` port with prompt_toolkit."""

    def __init__(
        self,
        *,
        listener: Listener,
        status: Callable[[], StyleAndTextTuples],
        completer: Completer,
        history_file: Path,
        on_paste: Callable[[str], str],
    ) -> None:
        self.on_paste = on_paste
        self.panel: Panel | None = None
        self._listener = listener
        self._printing: list[str] = []
        self._live = ""
        self._next_live = ""
        self._flush: asyncio.TimerHandle | None = None
        self._flushed_at = 0.0
        self._away = False
        self._gone = False
        self._asking = asyncio.Lock()
        self.buffer = Buffer(
            multiline=True,
            history=KeptHistory(history_file),
            completer=completer,
            complete_while_typing=True,
            auto_suggest=AutoSuggestFromHistory(),
        )
        self._output = Vt100_Output(
            sys.stdout, _size, term=os.environ.get("TERM"), enable_cpr=False
        )
        self.app: Application[None] = Application(
            layout=screen_layout(
                self.buffer, status=status, live=self._live_text, panel=self._panel_text
            ),
            key_bindings=key_bindings(self),
            style=STYLE,
            output=self._output,
            color_depth=None if coloured() else ColorDepth.DEPTH_1_BIT,
            full_screen=False,
            erase_when_done=True,
            min_redraw_interval=FRAME,
        )
        # A lone Escape is nothing here; Alt-Enter comes as one sequence.
        self.app.ttimeoutlen = 0.05

    @property
    def running(self) -> bool:
        """Whether the person is still there."""
        return self.app.is_running

    @property
    def columns(self) -> int:
        """The width of a line."""
        return _size().columns

    async def run(self) -> None:
        """Until the person leaves."""
        with contextlib.suppress(EOFError):  # the terminal was closed under it
            await self.app.run_async(pre_run=self._warm_soon, set_exception_handler=False)
        if self._flush is not None:
            self._flush.cancel()
        self._write()

    def print(self, text: str) -> None:
        """Print for good, above everything that is redrawn. ANSI colours are kept."""
        self._printing.append(text if text.endswith("\n") else text + "\n")
        if self.app.is_running:
            self._schedule()
        else:
            self._write()

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
        entered = self.panel.enter(text) if self.panel is not None else "passed"
        if entered == "answered":
            self.buffer.reset()
        elif entered == "passed" and text.strip():
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

    def refresh(self) -> None:
        """Draw again soon."""
        self.app.invalidate()

    def tick(self) -> None:
        """The clock in the status line."""
        self.app.invalidate()

    def clear(self) -> None:
        """Clear screen and scrollback."""
        self._draw_under(_CLEAR)

    def bell(self) -> None:
        """Ring."""
        self._output.bell()
        self._output.flush()

    def put_back(self, text: str) -> None:
        """Into the input line, when nothing was typed there since."""
        if not self.buffer.text:
            self.buffer.insert_text(text)

    def suspend(self) -> None:
        """Give the terminal back to the shell until the person returns."""
        self._away = True
        away = asyncio.ensure_future(run_in_terminal(lambda: os.kill(0, signal.SIGTSTP)))
        away.add_done_callback(self._returned)

    def exit(self) -> None:
        """Leave."""
        if self.app.is_running and not self.app.is_done:
            self.app.exit()

    def hang_up(self) -> None:
        """Nobody looks any more."""
        self._gone = True
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)
        os.close(nowhere)
        self.exit()

    def _warm_soon(self) -> None:
        """Load what the first answer needs while the person thinks, not before the prompt."""
        loop = asyncio.get_running_loop()
        loop.call_later(WARM_AFTER, lambda: loop.run_in_executor(None, warm))

    def _returned(self, away: "asyncio.Future[None]") -> None:
        away.result()
        self._away = False
        self._schedule()

    def _schedule(self) -> None:
        if self._flush is not None:
            return
        rest = self._flushed_at + FRAME - time.monotonic()
        self._flush = asyncio.get_running_loop().call_later(max(rest, 0), self._write)

    def _write(self) -> None:
        self._flush = None
        if self._away:
            return
        text = only_colours("".join(self._printing))
        self._printing.clear()
        self._live = self._next_live
        self._flushed_at = time.monotonic()
        if text:
            self._draw_under(text)

    def _draw_under(self, text: str) -> None:
        """Write `text` where the live part begins, and the live part again below it."""
        if self._gone:
            return
        output = self._output
        if not self.app.is_running:
            output.write_raw(text)
            output.flush()
            return
        output.write_raw(_TOGETHER)
        self.app.renderer.erase(leave_alternate_screen=False)
        output.write_raw(text)
        # Drawn at once and not when it suits: nobody shall see the screen without the line.
        self.app._redraw()  # pyright: ignore[reportPrivateUsage]
        output.write_raw(_DONE)
        output.flush()

    def _live_text(self) -> ANSI | None:
        if not self._live:
            return None
        # Only the end of a long open block: the whole of it is printed when it is finished.
        size = _size()
        taken = RESERVED_LINES + self.buffer.document.line_count
        if self.panel is not None:
            taken += len(self._panel_text())
        rows = max(1, size.rows - taken)
        lines = last_rows(self._live.rstrip("\n").expandtabs(8), rows=rows, columns=size.columns)
        return ANSI(only_colours("\n".join(lines)))

    def _panel_text(self) -> StyleAndTextTuples:
        return self.panel.text() if self.panel is not None else []


def _size() -> Size:
    # Never COLUMNS and LINES: they do not follow when the window changes.
    try:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
    except OSError:
        columns, rows = 0, 0
    return Size(rows=rows or 24, columns=columns or 80)
