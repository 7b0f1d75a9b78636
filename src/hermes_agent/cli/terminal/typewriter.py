"""The chat at a terminal that can only print: TERM=dumb, or output that goes to a file.

Lines are read as the terminal gives them; questions are answered with a line too.
"""

import asyncio
import signal
import sys
import threading

from hermes_agent.cli.terminal.panel import Panel
from hermes_agent.cli.terminal.port import Listener
from hermes_agent.cli.terminal.safe import only_colours

WIDTH = 80
PROMPT = "> "


class Typewriter:
    """Fills the `Terminal` port with stdin and stdout."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._panel: Panel | None = None
        self._asking = asyncio.Lock()
        self._over = asyncio.Event()
        self._running = False
        self._gone = False

    @property
    def running(self) -> bool:
        """Whether the person is still there."""
        return self._running and not self._over.is_set()

    @property
    def columns(self) -> int:
        """Of no importance where nothing is drawn."""
        return WIDTH

    async def run(self) -> None:
        """Until the end of input or `exit`."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        self._running = True
        # A daemon: a thread that waits in read() must not keep the program from leaving.
        threading.Thread(target=self._read, args=(loop,), daemon=True).start()
        self.refresh()
        try:
            await self._over.wait()
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    def print(self, text: str) -> None:
        """Print for good."""
        self._write(text if text.endswith("\n") else text + "\n")

    def live(self, text: str) -> None:
        """Nothing: it could not be taken back."""

    async def ask(self, panel: Panel, timeout: float | None) -> str | None:
        """Print the question; the next line answers it."""
        async with self._asking:
            self._panel = panel
            options = [f"  [{o.key or n}] {o.label}" for n, o in enumerate(panel.options, 1)]
            self.print("\n".join([panel.title, panel.body, *options]))
            self._write("answer: ")
            try:
                return await panel.answer(timeout)
            finally:
                self._panel = None

    def refresh(self) -> None:
        """Ask for a line, when nothing else is asked."""
        if self.running and self._panel is None:
            self._write(PROMPT)

    def tick(self) -> None:
        """Nothing here shows the time."""

    def clear(self) -> None:
        """There is nothing that could be cleared."""

    def bell(self) -> None:
        """Ring."""
        if not self._gone:
            sys.stdout.write("\a")
            sys.stdout.flush()

    def put_back(self, text: str) -> None:
        """Shown, so that it can be copied."""
        self.print(f"Not sent: {text}")

    def exit(self) -> None:
        """Leave."""
        self._over.set()

    def hang_up(self) -> None:
        """Nobody looks any more."""
        self._gone = True
        self.exit()

    def _interrupt(self) -> None:
        if self._panel is not None:
            self._panel.choose(None)
        elif not self._listener.interrupt():
            self.exit()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(self._line, line.rstrip("\n"))
        loop.call_soon_threadsafe(self.exit)

    def _line(self, line: str) -> None:
        if not self.running:
            return
        panel = self._panel
        if panel is None or panel.too_early:
            if line.strip():
                self._listener.line(line)
            else:
                self.refresh()
            return
        word = line.strip().lower()
        for number, option in enumerate(panel.options, 1):
            if word and word in (option.key, option.label.lower(), str(number)):
                panel.choose(option.value)
                return
        if panel.free_text and word:
            panel.choose(line.strip())
        else:
            self._write("answer: ")

    def _write(self, text: str) -> None:
        if not self._gone:
            encoding = sys.stdout.encoding or "utf-8"
            sys.stdout.write(only_colours(text).encode(encoding, "replace").decode(encoding))
            sys.stdout.flush()
